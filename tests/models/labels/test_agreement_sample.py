"""Agreement is told of images shared by lot: those asked again out of doubt would make every panel look divided."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from attune.models.labels.agreement import alpha
from attune.models.labels.agreement_sample import SHARE, comparable, drawn_at_random, without_doubt_driven
from attune.models.labels.answers import AUDIT, SECOND_OPINION, Answer
from attune.models.labels.panel import Panel
from attune.models.labels.second_opinion import second_opinions

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLASSES, EXPERTS = ("yes", "no"), ("a@x.org", "b@x.org")


def test_a_twentieth_is_drawn_and_a_seed_draws_its_own() -> None:
    ids = [f"image {i}" for i in range(20_000)]
    assert abs(drawn_at_random(ids, 1).mean() - SHARE) < 0.006
    assert abs((drawn_at_random(ids, 1) & drawn_at_random(ids, 2)).mean() - SHARE**2) < 0.002
    assert not len(drawn_at_random([], 1))


def test_only_images_asked_again_out_of_doubt_are_left_out() -> None:
    ids = [f"image {i}" for i in range(400)]
    lot = drawn_at_random(ids, 1)
    first = [Answer(one, one, EXPERTS[0], "yes", "spread", NOON) for one in ids]
    again = [Answer(one, one, EXPERTS[1], "no", SECOND_OPINION, NOON) for one in ids[:300]]
    shared = [Answer(one, one, EXPERTS[1], "no", AUDIT, NOON) for one in ids[300:]]
    kept = without_doubt_driven([*first, *again, *shared], 1)
    assert {one.asset_id for one in kept} == {one for one, drawn in zip(ids[:300], lot, strict=False) if drawn} | set(
        ids[300:]
    )
    assert without_doubt_driven(reversed([*first, *again, *shared]), 1) == list(reversed(kept))


def test_an_answer_on_an_image_of_ones_own_choice_is_left_out_and_the_others_stay() -> None:
    told = [Answer(f"image {i}", "title", who, "yes", "seed", NOON) for i in range(3) for who in EXPERTS]
    kept = comparable(told, {("image 1", EXPERTS[0]), ("image 7", EXPERTS[1])}, 1)
    assert kept == [one for one in told if (one.asset_id, one.expert) != ("image 1", EXPERTS[0])]


def campaign(seed: int) -> tuple[float, float, float]:
    """Alpha of two experts as it is told, as all that they share would tell it, and of all images."""
    rng = np.random.default_rng(seed)
    ids = [f"image {i}" for i in range(900)]
    truth = rng.random(900) < 0.3
    p = 1 / (1 + np.exp(-(1.8 * truth + rng.normal(size=900) - 1.7)))
    said = np.where(rng.random((900, 2)) < 0.9, truth[:, None], ~truth[:, None])

    def answer(i: int, who: int, purpose: str = "borderline") -> Answer:
        return Answer(ids[i], ids[i], EXPERTS[who], CLASSES[0] if said[i, who] else CLASSES[1], purpose, NOON)

    lot = drawn_at_random(ids, seed)
    told = [answer(i, i % 2) for i in range(900)]
    rest = [one for one, drawn in zip(told, lot, strict=True) if not drawn]
    panel = Panel.of(rest, CLASSES)
    of = {one: i for i, one in enumerate(ids)}
    proba = np.stack([p, 1 - p], axis=1)[[of[one] for one in panel.asset_ids]]
    told += [answer(int(i), 1 - int(i) % 2, SECOND_OPINION) for i in np.flatnonzero(lot)]
    for one in second_opinions(panel, proba, EXPERTS, 60):
        told.append(answer(of[one.asset_id], EXPERTS.index(one.expert), SECOND_OPINION))
    full = [answer(i, who) for i in range(900) for who in (0, 1)]
    values = [alpha(Panel.of(some, CLASSES)).value for some in (without_doubt_driven(told, seed), told, full)]
    return values[0] or 0.0, values[1] or 0.0, values[2] or 0.0


def test_alpha_of_the_lot_is_that_of_all_images() -> None:
    told, naive, true = np.mean([campaign(seed) for seed in range(12)], axis=0)
    assert abs(told - true) < 0.1  # about 45 shared images each: two standard errors of twelve campaigns
    assert naive < true - 0.2, "what was told before"
