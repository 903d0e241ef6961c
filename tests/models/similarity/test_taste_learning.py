"""A learned space: what was taught comes nearer, the file reads back as it was written, and a seed gives one result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.errors import DataError, NotEnoughLabels, SettingsError
from attune.models.similarity.angular_loss import angular_loss
from attune.models.similarity.label_overlap import alike_pairs, foreign_pairs, jaccard, overlap_targets
from attune.models.similarity.library_losses import library_loss
from attune.models.similarity.neighbour_measures import measure_lists
from attune.models.similarity.space_files import LearnedSpace, read_space, space_bytes
from attune.models.similarity.taste_learning import TasteSettings, leading_rows, learn_space
from attune.models.similarity.taste_tuning import BLENDS, halves, tune
from attune.models.vectors.pool import unit_length

SMALL = TasteSettings(rows=8, kept=8, components=24, epochs=4, maps=1)


def world(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors in which four labels are weak and something else is strong; two images a title."""
    rng = np.random.default_rng(seed)
    titles = np.arange(n) // 2
    labels = (rng.random((n // 2, 4)) < 0.35).astype(np.float32)[titles]
    seen = (
        0.5 * labels @ rng.standard_normal((4, 24)) + rng.standard_normal((n, 24)) * np.r_[np.full(4, 3), np.ones(20)]
    )
    return unit_length(seen), labels, titles.astype(str)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4), st.floats(0, 1, width=32), st.integers(0, 2**32 - 1))
def test_a_space_reads_back_as_it_was_written(d: int, p: int, k: int, blend: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = LearnedSpace(
        *(rng.standard_normal(shape).astype(np.float32) for shape in ((d,), (p, d), (k, p))), [blend, 0.1]
    )
    content = space_bytes(space)
    again = read_space(content)
    x = unit_length(rng.standard_normal((5, d)))
    assert space_bytes(again) == content
    np.testing.assert_array_equal(again.vectors(x), space.vectors(x))


@given(st.floats(0, 1, width=32), st.integers(0, 99))
def test_products_in_a_space_mix_what_was_learned_with_the_raw_cosine(blend: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = unit_length(rng.standard_normal((6, 5)))
    parts = (rng.standard_normal(5), rng.standard_normal((4, 5)), rng.standard_normal((3, 4)))
    learned = unit_length(
        (x - parts[0].astype(np.float32)) @ parts[1].T.astype(np.float32) @ parts[2].T.astype(np.float32)
    )
    mixed = LearnedSpace(*parts, [blend, 0]).vectors(x)
    np.testing.assert_allclose(mixed @ mixed.T, (1 - blend) * learned @ learned.T + blend * x @ x.T, atol=1e-4)


@pytest.mark.parametrize(
    "content",
    [
        b"not a space",
        space_bytes(LearnedSpace(np.zeros(2), np.eye(2), np.eye(2), [0, 0])).replace(b"projection", b"projectiom"),
    ],
)
def test_a_broken_file_is_refused_with_its_name(content: bytes) -> None:
    with pytest.raises(DataError, match=r"taste\.safetensors"):
        read_space(content, "taste.safetensors")


def test_a_space_refuses_other_vectors_and_shapes_that_do_not_fit() -> None:
    space = LearnedSpace(np.zeros(2), np.eye(2), np.eye(2), [0.5, 0])
    with pytest.raises(DataError, match=r"\(n, 2\)"):
        space.vectors(np.zeros((3, 4)))
    for wrong in ({"projection": np.eye(3)}, {"blend": [2, 0]}, {"blend": [0.5, -1]}, {"mean": [np.nan, 0]}):
        with pytest.raises(DataError):
            replace(space, **wrong)


def test_the_loss_falls_to_nothing_as_labels_come_apart() -> None:
    import torch

    labels = np.repeat(np.eye(2, dtype=np.float32), 4, axis=0)
    apart = torch.from_numpy(np.repeat(np.array([[1.0], [-1.0]], dtype=np.float32), 4, axis=0))
    rng = np.random.default_rng(0)
    separated = float(angular_loss(apart, labels, rng, alpha=45))
    together = float(angular_loss(apart.abs(), labels, rng, alpha=45))
    assert separated < 0.01
    assert together > 1
    assert float(angular_loss(apart, np.ones((8, 1), dtype=np.float32), rng, alpha=45)) == 0  # nothing is foreign
    assert float(angular_loss(apart, np.eye(8, dtype=np.float32), rng, alpha=45)) == 0  # nothing is alike


def test_the_loss_is_the_sum_over_negatives_that_it_says() -> None:
    import torch

    rng = np.random.default_rng(3)
    z, labels = unit_length(rng.standard_normal((9, 4))), (rng.random((9, 3)) < 0.5).astype(np.float32)
    t = np.tan(np.radians(30)) ** 2
    terms = []
    for a, p in zip(*alike_pairs(labels, rng), strict=True):
        negatives = [n for n in range(9) if not (labels[n] @ labels[a] or labels[n] @ labels[p])]
        f = [4 * t * (z[a] + z[p]) @ z[n] - 2 * (1 + t) * z[a] @ z[p] + 2 - 6 * t for n in negatives]
        terms.append(np.log1p(np.exp(0.5 * np.array(f)).sum()))
    assert float(angular_loss(torch.from_numpy(z), labels, rng, 30)) == pytest.approx(np.mean(terms), rel=1e-4)


@given(st.integers(2, 40), st.integers(1, 30), st.integers(0, 999))
def test_pairs_are_capped_apart_and_of_the_kind_that_was_asked_for(n: int, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 4)) < 0.4).astype(np.float32)
    for pairs, fits in ((alike_pairs, lambda o: o >= 0.5), (foreign_pairs, lambda o: o == 0)):
        first, second = pairs(labels, rng, most)
        kind = int(fits(jaccard(labels))[np.triu_indices(n, 1)].sum())
        assert len(first) == len(second) == min(most, kind)
        assert (first < second).all()
        assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == len(first)
        assert fits(jaccard(labels)[first, second]).all()


@given(st.integers(2, 30), st.integers(0, 999))
def test_products_of_targets_are_the_overlap_of_labels(n: int, seed: int) -> None:
    labels = np.maximum((np.random.default_rng(seed).random((n, 4)) < 0.4).astype(np.float32), np.eye(n, 4))
    labels[:, 0] = np.maximum(labels[:, 0], labels.sum(axis=1) == 0)
    targets = overlap_targets(labels)
    np.testing.assert_allclose(targets @ targets.T, jaccard(labels), atol=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(0, 99))
def test_a_cut_map_keeps_the_products_of_a_map_of_that_rank(rank: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((50, 8)).astype(np.float32)
    wide = (rng.standard_normal((20, rank)) @ rng.standard_normal((rank, 8))).astype(np.float32)
    cut = leading_rows(wide, x, rank)
    assert cut.shape == (rank, 8)
    np.testing.assert_allclose((x @ cut.T) @ (x @ cut.T).T, (x @ wide.T) @ (x @ wide.T).T, rtol=1e-2, atol=0.2)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    x, labels, _ = world()
    assert space_bytes(learn_space(x, labels, SMALL, 1)) == space_bytes(learn_space(x, labels, SMALL, 1))
    assert space_bytes(learn_space(x, labels, SMALL, 1)) != space_bytes(learn_space(x, labels, SMALL, 2))


@pytest.mark.parametrize("loss", ["angular", "multi_similarity", "supervised_contrastive", "nt_xent"])
def test_every_loss_brings_titles_nearer_that_share_labels(loss: str) -> None:
    x, labels, _ = world(480)
    taught, held = x[:320], x[320:]
    space = learn_space(taught, labels[:320], replace(SMALL, loss=loss, blend=0.0))
    titles = (np.arange(160) // 2).astype(str)
    mine = measure_lists(space.vectors(held), titles, labels[320:]).figures()
    raw = measure_lists(held, titles, labels[320:]).figures()
    assert mine["ndcg"] > raw["ndcg"] + 0.02
    assert mine["map_at_r"] > raw["map_at_r"] + 0.02


def test_settings_are_chosen_among_those_tried_and_repeat() -> None:
    x, labels, titles = world()
    once = tune(x, labels, titles, SMALL, seed=3)
    assert once == tune(x, labels, titles, SMALL, seed=3)
    assert once.settings.blend in BLENDS
    assert {"ridge", "alpha", "hub_weight", "left_out"} <= {name for row in once.tried for name in row}


def test_a_half_of_labels_is_hidden_and_then_the_other() -> None:
    (known, hidden), (second_known, second_hidden) = halves(7, 0)
    assert sorted([*known, *hidden]) == list(range(7))
    assert known.tolist() == second_hidden.tolist()
    assert hidden.tolist() == second_known.tolist()
    assert not list(halves(3, 0))


def test_too_few_labels_and_settings_out_of_range_are_refused() -> None:
    x, labels, _ = world()
    for few in (labels[:, :1], labels * (np.arange(len(labels)) < 20)[:, None]):
        with pytest.raises(NotEnoughLabels, match="at least 30"):
            learn_space(x, few)
    for wrong in ({"alpha": 95}, {"blend": 1.5}, {"maps": 0}):
        with pytest.raises(SettingsError):
            TasteSettings(**wrong)
    with pytest.raises(SettingsError, match="multi_similarity"):
        library_loss("angularr")
