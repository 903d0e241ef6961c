from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from attune.models.errors import DataError, SettingsError
from attune.models.evaluation.audit_design import AuditDesign, reserved_mask
from attune.models.labels.answers import BY_HAND, IMPORT, PURPOSES
from attune.models.labels.labels import Labels
from attune.models.probes.learner import LearnerSettings, Prompts, fit, plan
from attune.models.vectors.pool import Pool
from tests.models.worlds import World, world

SEED = 5
PLAIN = LearnerSettings()


def prompts_for(here: World) -> Prompts:
    if len(here.classes) == 2:
        return Prompts(positive=here.directions[:1], negative=here.directions[1:2])
    return Prompts(classes={name: d[None] for name, d in zip(here.classes, here.directions, strict=True)})


def ranking_quality(here: World, probe) -> float:
    scores = here.pool.logits(probe.weight_, probe.bias_)[:, 0]
    return float(average_precision_score(here.truth == 0, scores))


def trainable(here: World, settings: LearnerSettings = PLAIN) -> np.ndarray:
    return np.flatnonzero(~reserved_mask(here.pool.title_ids, SEED, settings.reserved_share))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("seen", [[], [0], [1], [0, 1]], ids=["none", "one", "other", "two classes"])
@pytest.mark.parametrize("with_prompts", [True, False])
def test_every_early_state_gives_a_probe_and_a_plan(classes: int, seen: list[int], with_prompts: bool) -> None:
    here = world(classes=classes)
    prompts = prompts_for(here) if with_prompts else None
    index = [int(i) for c in seen for i in trainable(here)[here.truth[trainable(here)] == c][:2]]
    labels = here.labels(index)
    probe = fit(here.pool, labels, here.classes, prompts, PLAIN, SEED)
    asks = plan(here.pool, probe, labels, index, 12, PLAIN, SEED, prompts=prompts)
    assert len(asks) == 12
    assert np.isfinite(probe.weight_).all()
    if seen or with_prompts:
        assert np.ptp(here.pool.logits(probe.weight_, probe.bias_)) > 0, "something is known, so it must rank"


def test_phrases_alone_rank_the_pool_and_one_class_alone_does_too() -> None:
    here = world()
    empty = here.labels([])
    chance = float((here.truth == 0).mean())
    assert ranking_quality(here, fit(here.pool, empty, here.classes, prompts_for(here), PLAIN, SEED)) > 2 * chance
    positives = trainable(here)[here.truth[trainable(here)] == 0][:4]
    assert ranking_quality(here, fit(here.pool, here.labels(positives), here.classes, None, PLAIN, SEED)) > 2 * chance
    examples = Prompts(examples={"yes": here.pool.rows(positives)})
    assert ranking_quality(here, fit(here.pool, empty, here.classes, examples, PLAIN, SEED)) > 2 * chance


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(40)))
def test_the_order_of_answers_changes_nothing(order: list[int]) -> None:
    here = world()
    index = np.arange(0, 200, 5)
    first = fit(here.pool, here.labels(index), here.classes, None, PLAIN, SEED)
    second = fit(here.pool, here.labels(index[order]), here.classes, None, PLAIN, SEED)
    np.testing.assert_array_equal(first.weight_, second.weight_)
    np.testing.assert_array_equal(first.bias_, second.bias_)


def test_audit_titles_are_never_trained_on_nor_asked_for_training() -> None:
    here = world()
    every = np.arange(len(here.pool))
    kept = trainable(here)
    np.testing.assert_array_equal(
        fit(here.pool, here.labels(every), here.classes, None, PLAIN, SEED).weight_,
        fit(here.pool, here.labels(kept), here.classes, None, PLAIN, SEED).weight_,
    )
    probe = fit(here.pool, here.labels(kept[:30]), here.classes, None, PLAIN, SEED)
    asks = plan(here.pool, probe, here.labels(kept[:30]), kept[:30], 60, PLAIN, SEED, audit=AuditDesign(SEED))
    held = set(every.tolist()) - set(kept.tolist())
    for ask in asks:
        assert (ask.index in held) == (ask.purpose == "audit")
        assert (ask.inclusion is None) == (ask.purpose != "audit")


def test_audits_start_late_and_keep_their_share() -> None:
    here = world(n=2000)
    settings = LearnerSettings(audit_share=0.2, audit_after=40)
    asked: list[int] = []
    audit, per_round = AuditDesign(SEED), []
    for _round in range(6):
        labels = here.labels(asked)
        probe = fit(here.pool, labels, here.classes, None, settings, SEED)
        asks = plan(here.pool, probe, labels, asked, 20, settings, SEED, audit=audit)
        per_round.append(sum(ask.purpose == "audit" for ask in asks))
        asked += [ask.index for ask in asks]
    assert per_round == [0, 0, 4, 4, 4, 4]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("strategy", ["attune", "margin", "modal:margin_sampling", "skactiveml:TypiClust"])
def test_same_seed_same_plan_and_nothing_twice(classes: int, strategy: str) -> None:
    here = world(classes=classes)
    settings = LearnerSettings(strategy=strategy)
    asked = trainable(here)[:25].tolist()
    labels = here.labels(asked)
    probe = fit(here.pool, labels, here.classes, None, settings, SEED)
    first, second = (plan(here.pool, probe, labels, asked, 15, settings, SEED) for _ in range(2))
    assert first == second
    assert len({ask.index for ask in first}) == 15
    assert not {ask.index for ask in first} & set(asked)
    assert {ask.asset_id for ask in first} == set(here.pool.asset_ids[[ask.index for ask in first]].tolist())
    assert all(0 <= ask.utility <= 1 and ask.reason.endswith(".") for ask in first)


def test_a_titles_images_are_two_others_apart_from_the_last_that_was_asked_on() -> None:
    here = world(titles=60)
    asked = trainable(here)[:12].tolist()
    labels = here.labels(asked)
    probe = fit(here.pool, labels, here.classes, None, PLAIN, SEED)
    asks = plan(here.pool, probe, labels, asked, 20, PLAIN, SEED)
    titles = here.pool.title_ids[[*asked[-2:], *(ask.index for ask in asks)]].tolist()
    assert len(asks) == 20
    assert all(title not in titles[max(0, i - 2) : i] for i, title in enumerate(titles) if i >= 2)


def test_a_title_that_holds_most_of_the_likely_images_is_asked_about_again_and_again() -> None:
    """A folder of five hundred stills counted as one title must not be shut for longer than a moment."""
    here = world(n=400, titles=1)
    one = np.where(here.truth == 0, "the folder", here.pool.title_ids)
    pool = Pool(here.pool.asset_ids, one.astype(np.str_), here.pool.blocks)
    settings = LearnerSettings("likely", audit_share=0.0, reserved_share=0.0)
    asked: list[int] = np.r_[np.flatnonzero(here.truth == 0)[:3], np.flatnonzero(here.truth == 1)[:9]].tolist()
    for _ in range(12):
        labels = here.labels(asked)
        probe = fit(pool, labels, here.classes, None, settings, SEED)
        asked += [ask.index for ask in plan(pool, probe, labels, asked, 1, settings, SEED)]
    assert (here.truth[asked[12:]] == 0).sum() >= 4


def test_near_duplicates_are_not_asked_together() -> None:
    here = world(n=60, titles=1)
    vectors = np.repeat(here.pool.rows(np.arange(60)), 5, axis=0).astype(np.float16)
    ids = np.array([f"d{i:04d}" for i in range(300)])
    pool = Pool(ids, ids, (vectors,))
    labels = Labels((), (), np.empty((0, 2)), np.empty(0))
    probe = fit(pool, labels, here.classes, prompts_for(here), PLAIN, SEED)
    asks = plan(pool, probe, labels, [], 20, PLAIN, SEED, prompts=prompts_for(here))
    assert len({ask.index // 5 for ask in asks}) == 20


def test_a_pool_of_one_title_still_gives_work_and_an_exhausted_one_gives_what_is_left() -> None:
    here = world(n=40, titles=40)
    settings = LearnerSettings(audit_share=0.0, reserved_share=0.0)
    labels = here.labels(np.arange(10))
    probe = fit(here.pool, labels, here.classes, None, settings, SEED)
    assert len(plan(here.pool, probe, labels, np.arange(10), 20, settings, SEED)) == 20
    left = plan(here.pool, probe, labels, np.arange(37), 20, settings, SEED)
    assert {ask.index for ask in left} == {37, 38, 39}
    assert plan(here.pool, probe, labels, np.arange(40), 20, settings, SEED) == []


def test_the_first_batch_mixes_nearest_near_miss_and_spread() -> None:
    here = world(n=2000)
    labels = here.labels([])
    probe = fit(here.pool, labels, here.classes, prompts_for(here), PLAIN, SEED)
    asks = plan(here.pool, probe, labels, [], 20, PLAIN, SEED, prompts=prompts_for(here))
    count = {purpose: sum(ask.purpose == purpose for ask in asks) for purpose in ("seed", "near-miss", "spread")}
    assert count == {"seed": 8, "near-miss": 4, "spread": 8}
    assert here.truth[[ask.index for ask in asks if ask.purpose == "seed"]].mean() < 0.2
    assert asks[0].purpose == "seed"


def test_contested_images_come_back_as_second_opinions() -> None:
    here = world()
    asked = trainable(here)[:25].tolist()
    labels = here.labels(asked)
    probe = fit(here.pool, labels, here.classes, None, PLAIN, SEED)
    asks = plan(here.pool, probe, labels, asked, 8, PLAIN, SEED, contested=asked[3:9])
    assert [ask.index for ask in asks if ask.purpose == "second-opinion"] == asked[3:5]


def test_images_that_may_not_be_shown_are_neither_asked_nor_drawn_nor_counted() -> None:
    here = world(n=400)
    turned = LearnerSettings(audit_share=0.5, audit_after=0, reserved_share=0.3)
    kept = reserved_mask(here.pool.title_ids, SEED, 0.3)
    asked = np.flatnonzero(~kept)[:10].tolist()
    labels = here.labels(asked)
    probe = fit(here.pool, labels, here.classes, None, turned, SEED)
    hidden = [*np.flatnonzero(kept)[:-2].tolist(), *np.flatnonzero(~kept)[-5:].tolist()]
    design = AuditDesign(SEED)
    asks = plan(here.pool, probe, labels, [*hidden, *asked], 20, turned, SEED, audit=design, hidden=hidden)
    audits = [ask.index for ask in asks if ask.purpose == "audit"]
    assert sorted(audits) == np.flatnonzero(kept)[-2:].tolist(), "the two that can be shown are all that can be drawn"
    assert not {ask.index for ask in asks} & set(hidden)
    assert not any(design.inclusions(here.pool.asset_ids[hidden].tolist()))


def test_every_purpose_that_a_plan_gives_is_in_the_vocabulary() -> None:
    here = world(n=2000)
    asked = trainable(here)[:60].tolist()
    turned, purposes = LearnerSettings(audit_after=0), set()
    for known in ([], asked[:1], asked):
        labels = here.labels(known)
        probe = fit(here.pool, labels, here.classes, prompts_for(here), turned, SEED)
        more = {"prompts": prompts_for(here), "audit": AuditDesign(SEED), "contested": known[:3]}
        purposes |= {ask.purpose for ask in plan(here.pool, probe, labels, known, 60, turned, SEED, **more)}
    assert purposes == set(PURPOSES) - {BY_HAND, IMPORT}


def test_settings_refuse_what_cannot_be() -> None:
    with pytest.raises(SettingsError, match=r"audit_share is 1\.5"):
        LearnerSettings(audit_share=1.5)
    with pytest.raises(SettingsError, match="no title can be audited"):
        LearnerSettings(reserved_share=0.0)
    with pytest.raises(SettingsError, match="'margn' does not exist"):
        LearnerSettings(strategy="margn")
    with pytest.raises(DataError, match=r"shape \(4,\)"):
        Prompts(positive=np.ones(4))
