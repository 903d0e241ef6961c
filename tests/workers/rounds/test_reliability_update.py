"""Whom to rely on: told anew every ten answers, of images shared for another reason than doubt; and what follows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attune.labeler.catalog.run_facts import labels_of
from attune.labeler.records.run_advice import ExpertReliability, RunAdvice
from attune.labeler.records.schema import Run
from attune.labeler.settings import build
from attune.models.evaluation.metrics import Metric
from attune.models.labels.agreement_sample import drawn_at_random
from attune.models.labels.answers import AUDIT, Answer
from attune.workers.rounds import learning_round, reliability_update, round_figures
from attune.workers.rounds.snapshot import Snapshot, take_snapshot
from tests.workers.rounds.test_queue_plan import NOON
from tests.workers.rounds.test_revised import workspace
from tests.workers.rounds.test_round_figures import probe_of, studio
from tests.workers.rounds.test_slow_figures import changed

SAME, ANY = "same@x.org", "any@x.org"


def others(seen: Snapshot, purpose: str) -> tuple[Answer, ...]:
    """On every answered image: one who says the same, and one who says what comes to mind."""
    return tuple(
        Answer(one.asset_id, one.title_id, expert, value, purpose, NOON)
        for i, one in enumerate(seen.answers)
        for expert, value in ((SAME, one.value), (ANY, "yes" if i % 2 else "no"))
    )


@pytest.fixture
def seen() -> Snapshot:
    """Sixty images that three experts answered on a page, one of them carelessly."""
    alone = studio(12, training=60)
    trained = changed(alone, answers=tuple(one for one in alone.answers if one.purpose != AUDIT))
    return changed(alone, answers=(*alone.answers, *others(trained, "spread")))


def after(seen: Snapshot, **changes: Any) -> Snapshot:
    """The round after one that recorded what ``seen`` tells."""
    last = Run(revision=seen.attribute.revision, advice=RunAdvice(reliance=replace(seen.reliance, **changes)).to_dict())
    return changed(seen, last_run=last)


def test_answers_of_an_expert_whom_the_others_contradict_count_less(seen: Snapshot) -> None:
    told = {one.expert: one for one in seen.reliance.told}
    assert told[SAME].weight == 1
    assert 0.25 <= told[ANY].weight < 0.5
    assert told[SAME].accuracy["lo"] > told[ANY].accuracy["hi"]
    assert seen.weights == {ANY: told[ANY].weight}
    assert learning_round.summary(seen)["expert_weights"] == seen.weights
    off = changed(seen, weigh=False)
    assert off.weights == {}
    assert off.training != seen.training
    assert off.digest != seen.digest
    assert off.reliance == seen.reliance, "switched on again nothing is lost"
    assert "expert_weights" not in learning_round.summary(off)


def test_a_round_that_is_repeated_changes_nothing(seen: Snapshot) -> None:
    again = after(seen)
    assert (again.reliance, again.digest, again.training) == (seen.reliance, seen.digest, seen.training)
    assert after(seen, told=()).weights == {}, "between two nothing is worked out"
    assert after(seen, told=(), answers=seen.count - reliability_update.EVERY).weights == seen.weights
    assert after(seen, told=(), answers=seen.count + 1).weights == seen.weights, "fewer answers than it was told of"


def test_another_revision_is_judged_by_its_own_answers(seen: Snapshot) -> None:
    mine = [one for one in seen.answers if one.expert != ANY]
    assert (
        after(
            changed(seen, answers=tuple(mine)),
            revision=seen.attribute.revision - 1,
            told=(ExpertReliability(ANY, {}, weight=0.3),),
        ).weights
        == {}
    )


def test_images_that_were_asked_again_out_of_doubt_tell_nothing_of_anybody() -> None:
    alone = studio(0, training=60)
    seen = changed(alone, answers=(*alone.answers, *others(alone, "second-opinion")))
    lots = int(drawn_at_random([one.asset_id for one in alone.answers], seen.seed).sum())
    assert max(one.accuracy["n"] for one in seen.reliance.told) <= lots < 10
    assert seen.weights == {}


def test_audits_are_neither_weighed_nor_weigh_anybody(seen: Snapshot) -> None:
    rows = round_figures.reserved_rows(seen)[:40].tolist()
    every = [(expert, "yes" if expert == ANY else "no") for expert in ("e1@x.org", SAME, ANY)]
    said = tuple(Answer(f"a{row}", f"t{row}", expert, value, AUDIT, NOON) for row in rows for expert, value in every)
    more = changed(seen, answers=(*seen.answers, *said))
    assert more.reliance.told == seen.reliance.told
    assert more.weights
    assert more.audited == changed(more, weigh=False).audited


def test_who_does_most_of_the_work_carelessly_weighs_nobody_else_down() -> None:
    rng = np.random.default_rng(4)
    truth = rng.random(900) < 0.4
    ids = [f"a{i:04d}" for i in range(900)]
    right = {"most@x.org": 0.62, "ana@x.org": 0.95, "ben@x.org": 0.93}
    names = np.array(list(right))

    def say(i: int, expert: str, purpose: str) -> Answer:
        yes = bool(truth[i]) == bool(rng.random() < right[expert])
        return Answer(ids[i], ids[i], expert, "yes" if yes else "no", purpose, NOON)

    first = names[rng.choice(3, size=900, p=(0.8, 0.1, 0.1))]
    answers = [say(i, str(first[i]), "spread") for i in range(900)]
    lots = drawn_at_random(ids, 0)
    for i in range(900):
        doubtful = (answers[i].value == "yes") != truth[i] and rng.random() < 0.5  # as a good probe would see it
        if lots[i] or doubtful:
            answers.append(say(i, str(rng.choice(names[names != first[i]])), "second-opinion"))
    weights = {one.expert: one.weight for one in reliability_update.expert_reliabilities(answers, ("yes", "no"), 0)}
    assert weights["ana@x.org"] == weights["ben@x.org"] == 1


def test_one_careless_expert_is_not_blamed_on_the_definition(seen: Snapshot) -> None:
    low = Metric("alpha", 0.1, 0.0, 0.3, 60, "m")
    without = round_figures.agreement_without_one(seen, low)
    assert without is not None
    assert without[0] == ANY
    assert without[1].value == pytest.approx(1.0)
    assert round_figures.agreement_without_one(seen, replace(low, value=0.6, hi=0.8)) is None


def test_answers_to_images_of_ones_own_choice_train_and_tell_no_agreement(seen: Snapshot) -> None:
    chosen = [(one.asset_id, one.expert) for one in seen.answers if one.expert == ANY][:40]
    own = changed(seen, own=frozenset(chosen))
    everybody, rest = (round_figures.measure(one, probe_of(one), None)["alpha"] for one in (seen, own))
    assert everybody.value is not None
    assert rest.value is not None
    assert rest.value > everybody.value + 0.2, "the careless one's chosen answers count no more, the others' do"
    assert {one.expert: one.accuracy["n"] for one in own.reliance.told}[ANY] == 20
    assert len(own._learned) == len(seen._learned)
    all_chosen = changed(seen, own=frozenset((one.asset_id, one.expert) for one in seen.answers if one.expert == ANY))
    assert all_chosen.weights == {}
    low = Metric("alpha", 0.1, 0.0, 0.3, 60, "m")
    assert round_figures.agreement_without_one(all_chosen, low) is None, "of two experts none differs"


def test_one_expert_alone_is_not_judged() -> None:
    assert studio(0, training=60).reliance.told == ()


def test_what_the_world_outside_sees_names_no_expert() -> None:
    labels = {"experts": {"ana@x.org": 60, "ben@x.org": 50}, "expert_weights": {"ben@x.org": 0.4}}
    assert labels_of(Run(labels=labels, answers=110, metrics={}))["expert_weights"] == [0.4, 1.0]
    assert "expert_weights" not in labels_of(Run(labels={"experts": 2}, answers=110, metrics={}))


def test_the_setting_reaches_the_round(tmp_path: Path) -> None:
    settings, _queue = workspace(tmp_path)
    assert take_snapshot(settings, "romance").weigh
    assert not take_snapshot(replace(settings, weigh_experts=False), "romance").weigh
    assert not build({"ATTUNE_WEIGH_EXPERTS": "false"}, workspace=tmp_path).weigh_experts
