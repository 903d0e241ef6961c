from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.models.errors import DataError, EmptyPool, PoolExhausted
from attune.models.evaluation.audit_design import AuditDesign, importance, reserved_mask
from attune.models.evaluation.holdout import class_share

Floats = npt.NDArray[np.float64]


IDS = [f"asset {i}" for i in range(150)]


def scores(seed: int, n: int = len(IDS)) -> Floats:
    return np.random.default_rng(seed).normal(size=n)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_every_round_draws_exactly_what_was_asked_and_inclusion_only_grows(seed: int, rounds: list[int]) -> None:
    design = AuditDesign(seed)
    before: Floats = np.zeros(len(IDS))
    drawn: set[int] = set()
    for i, n in enumerate(rounds):
        found = design.extend(IDS, IDS, scores(seed + i), n)
        assert len(found) == n
        assert not drawn & {index for index, _ in found}
        drawn |= {index for index, _ in found}
        after = design.inclusions(IDS)
        assert (after >= before).all()
        assert all(0 < pi <= 1 and pi == after[index] for index, pi in found)
        assert set(np.flatnonzero(design.drawn(IDS))) == drawn
        before = after


def test_weights_of_one_round_are_unbiased_over_many_seeds() -> None:
    truth, score = (scores(1) > 0.5).astype(float), scores(1) + scores(2)
    totals = []
    for seed in range(1500):
        design = AuditDesign(seed)
        drawn = [(index, pi) for index, pi in design.extend(IDS, IDS, score, 20)]
        totals.append(sum(truth[index] / pi for index, pi in drawn))
    error = np.std(totals) / np.sqrt(len(totals))
    assert abs(np.mean(totals) - truth.sum()) < 4 * error


def test_weights_stay_near_unbiased_while_the_probe_changes() -> None:
    truth = (scores(1) > 0.5).astype(float)
    totals = []
    for seed in range(800):
        design = AuditDesign(seed)
        for i in range(4):
            design.extend(IDS, IDS, scores(1) + scores(10 + i), 6)
        kept = design.drawn(IDS)
        totals.append((truth[kept] / design.inclusions(IDS)[kept]).sum())
    assert np.mean(totals) == pytest.approx(truth.sum(), rel=0.06)


def test_likely_positives_are_audited_more_often_and_nobody_never() -> None:
    weight = importance(np.arange(1000.0), 1000)
    assert weight.mean() == pytest.approx(1.0, abs=0.01)
    assert (np.diff(weight) > 0).all()
    assert weight.min() >= 0.25
    assert (importance(None, 5) == 1.0).all()


def test_each_of_many_classes_has_its_share_of_the_draw() -> None:
    columns = np.random.default_rng(0).dirichlet(np.ones(3), size=900)
    weight = importance(columns, 900)
    best = [weight[np.argsort(-columns[:, i])[:30]].mean() for i in range(3)]
    assert max(best) < 1.3 * min(best)
    assert min(best) > 1.3


def test_a_new_asset_can_still_be_drawn() -> None:
    design = AuditDesign(0)
    design.extend(IDS[:100], IDS[:100], None, 10)
    later = {IDS[index] for index, _ in design.extend(IDS, IDS, None, 100)}
    assert later & set(IDS[100:])


def test_the_state_comes_back_from_its_bytes() -> None:
    design = AuditDesign(5)
    design.extend(IDS, IDS, scores(0), 10)
    again = AuditDesign.from_bytes(design.to_bytes())
    assert again.to_bytes() == design.to_bytes()
    assert again.extend(IDS, IDS, scores(1), 10) == design.extend(IDS, IDS, scores(1), 10)
    with pytest.raises(DataError, match="4 bytes are not an audit design"):
        AuditDesign.from_bytes(b"junk")


def test_who_comes_later_and_in_which_order_changes_no_byte_and_no_draw() -> None:
    """What runs of before left behind is read and written as it was: its digest is part of a review's stamp."""
    later = np.random.default_rng(2).permutation(len(IDS)).tolist()
    one, other = AuditDesign(5), AuditDesign(5)
    for ids in (IDS[:90], IDS):
        one.extend(ids, ids, None, 7)
    for some in ([at for at in later if at < 90], later):
        ids = np.array([IDS[at] for at in some])
        other.extend(ids, ids, None, 7)
        other = AuditDesign.from_bytes(other.to_bytes())
    assert one.to_bytes() == other.to_bytes()
    with np.load(io.BytesIO(one.to_bytes())) as held:
        assert held["ids"].tolist() == sorted(IDS)
        assert held["ids"].dtype == np.array(IDS).dtype
        assert held["inclusion"].tolist() == [one.inclusion(name) for name in sorted(IDS)]
    assert not one.drawn(["of no round"]).any()
    assert one.inclusion("of no round") == 0


def test_all_that_is_left_is_drawn_for_certain() -> None:
    design = AuditDesign(1)
    found = design.extend(IDS, IDS, scores(0), len(IDS))
    assert sorted(index for index, _ in found) == list(range(len(IDS)))
    assert (design.inclusions(IDS) == 1.0).all()


def test_impossible_requests_say_how_many_there_are() -> None:
    with pytest.raises(EmptyPool, match="No asset is reserved"):
        AuditDesign(0).extend([], [], None, 1)
    with pytest.raises(PoolExhausted, match=r"151 audit images requested, but only 150 of 150"):
        AuditDesign(0).extend(IDS, IDS, None, 151)
    with pytest.raises(DataError, match=r"3 asset ids \(2 different\)"):
        AuditDesign(0).extend(["a", "a", "b"], ["a", "a", "b"], None, 1)
    with pytest.raises(DataError, match="1 scores are not finite"):
        AuditDesign(0).extend(["a", "b"], ["a", "b"], [0.0, np.nan], 1)


def test_a_reserved_title_stays_reserved_as_the_pool_grows() -> None:
    titles = np.array([f"title {i // 3}" for i in range(900)])
    kept = reserved_mask(titles, 4)
    assert (reserved_mask(titles[:90], 4) == kept[:90]).all()
    assert all(len(set(kept[titles == title])) == 1 for title in titles[:60])


def test_a_share_from_one_title_has_no_interval_and_is_not_given() -> None:
    truth = np.arange(12) < 6
    share = class_share(truth, ["t"] * 12, np.full(12, 0.5), 0)
    assert (share.value, share.reason) == (None, "the images are of one title, at least 2 are needed")
    assert class_share(truth, [f"t{i}" for i in range(12)], np.full(12, 0.5), 0).value == 0.5


def test_the_weighted_share_is_the_pools_where_the_plain_share_of_the_draw_is_not() -> None:
    """A draw by importance holds the likely images more often."""
    errors, plain, held = [], [], 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        latent = generator.normal(size=320)
        truth = latent > np.quantile(latent, 0.6)
        ids, titles = [f"a{i}" for i in range(320)], [f"t{i % 90}" for i in range(320)]
        design = AuditDesign(seed)
        drawn = np.array([i for i, _ in design.extend(ids, titles, latent + generator.normal(0, 0.5, 320), 41)])
        inclusion = design.inclusions([ids[i] for i in drawn])
        share = class_share(truth[drawn], [titles[i] for i in drawn], inclusion, seed)
        assert share.value is not None
        errors.append(share.value - truth.mean())
        plain.append(truth[drawn].mean() - truth.mean())
        held += (share.lo or 0.0) <= truth.mean() <= (share.hi or 0.0)
    assert abs(np.mean(errors)) < 0.05
    assert np.mean(plain) > 0.15
    assert held >= 35
