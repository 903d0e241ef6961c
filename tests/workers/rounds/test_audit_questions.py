"""A round's audits: what the stream owes and what was asked for, each drawn once, whatever happens in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Run
from attune.models.evaluation.audit_pace import Pace, continue_pace
from attune.models.labels.answers import AUDIT, IMPORT
from attune.workers.rounds import audit_questions, round_figures
from attune.workers.rounds.queue_plan import assign_to_queues
from attune.workers.rounds.snapshot import Snapshot
from tests.workers.rounds.test_queue_plan import rows, snapshot, task
from tests.workers.rounds.test_round_figures import probe_of, studio

SLOW = Pace(40, 0.0, 0.1)


def seen(audits: int = 0, extra: int = 0, experts: tuple[str, ...] = (), known: int | None = None) -> Snapshot:
    made = studio(audits, training=60)
    made.attribute.settings["audits"] = {"extra": extra, "experts": list(experts)}
    fields = {name: getattr(made, name) for name in Snapshot.__dataclass_fields__}
    rows = [(int(made.view.pool.positions([answer.asset_id])[0]), 1) for answer in made.answers]
    fields["answer_rows"] = tuple(rows)
    if known is not None:
        fields["last_run"] = Run(number=1, advice={"audits": {"extra": known}}, metrics={})
    return Snapshot(**fields)


def drawn(made: Snapshot) -> int:
    rows = audit_questions.visible_audit_rows(made)
    return int(made.design.drawn(made.view.pool.asset_ids[rows].tolist()).sum())


def test_a_batch_on_demand_is_drawn_once_for_those_it_was_asked_of() -> None:
    made = seen(extra=4, experts=("e1@x.org",), known=0)
    found = audit_questions.plan_audits(made, probe_of(made), SLOW)
    assert len(found.asks) == drawn(made) == 4
    assert all(ask.purpose == AUDIT and ask.inclusion for ask in found.asks)
    assert found.experts == ("e1@x.org",)
    assert {ask.index for ask in found.asks} <= set(round_figures.reserved_rows(made).tolist())
    # Killed before it could ask: the next round asks the same ones, and draws no more.
    again = audit_questions.plan_audits(made, probe_of(made), SLOW)
    assert {ask.index for ask in again.asks} == {ask.index for ask in found.asks}
    assert drawn(made) == 4


def test_what_of_a_batch_comes_with_a_later_round_is_for_those_it_was_asked_of() -> None:
    made = seen(extra=4, experts=("e1@x.org",), known=0)
    audit_questions.plan_audits(made, probe_of(made), SLOW)
    made.attribute.settings["audits"]["coming"] = 3
    assert audit_questions.plan_audits(made, probe_of(made), Pace(40, 0.0, 0.0)).experts == ("e1@x.org",)


def test_the_stream_goes_on_beside_batches_and_stays_mixed_in() -> None:
    made = seen(audits=20, extra=12, experts=("e1@x.org",), known=12)
    pace = Pace(100, 9.0, 0.25)
    found = audit_questions.plan_audits(made, probe_of(made), pace)
    assert len(found.asks) == 12 + 9 + 1 - 20  # 5 answers ahead, a quarter of them
    assert not found.experts


def test_an_example_of_the_question_is_no_audit_as_everyone_was_told_its_class() -> None:
    made = seen(extra=900, known=0)
    ids = made.view.pool.asset_ids
    first, last = (str(ids[row]) for row in round_figures.reserved_rows(made)[[0, -1]])
    made.attribute.in_scope, made.attribute.out_of_scope = ["A long corridor", first], [last, "gone"]
    asked = [ask.asset_id for ask in audit_questions.plan_audits(made, probe_of(made), SLOW).asks]
    assert asked
    assert not {first, last} & set(asked)


def test_no_more_is_drawn_than_there_is() -> None:
    made = seen(extra=900, known=0)
    assert len(audit_questions.plan_audits(made, probe_of(made), SLOW).asks) == len(
        audit_questions.visible_audit_rows(made)
    )


def test_a_round_says_how_the_stream_goes_and_what_is_left() -> None:
    made = seen(audits=8, extra=3)
    figure = round_figures.measure(made, probe_of(made), None)["average_precision"]
    pace = audit_questions.pace(made, "labelling", figure)
    assert pace.trained == 60
    assert pace.owed == pytest.approx(20 / 9)
    told = audit_questions.audit_plan(made, pace)
    assert told.drawn == 8
    assert (
        told.left == len(audit_questions.visible_audit_rows(made)) - 8
    )  # 2 of the stream, 3 on demand: fewer than there are
    assert (told.extra, told.needed) == (3, 30)
    run = Run(number=1, advice=RunAdvice(state="labelling", audits=told).to_dict(), metrics={})
    assert audit_questions.pace_of(made, run) == pace
    assert audit_questions.pace_of(made, Run(number=1, advice={}, metrics={})).owed == pace.owed


def test_the_share_is_kept_from_run_to_run() -> None:
    made = seen()
    before = continue_pace(None, 50, 0.1, 0.5, "")
    fields = {name: getattr(made, name) for name in Snapshot.__dataclass_fields__}
    fields["last_run"] = Run(number=1, advice={"audits": before.to_dict()}, metrics={})
    now = audit_questions.pace(Snapshot(**fields), "labelling", None)
    assert now.owed == pytest.approx(before.owed + 10)


def test_an_import_begins_the_stream_and_owes_no_audits_of_its_own() -> None:
    made = studio(0, training=100)
    fields = {name: getattr(made, name) for name in Snapshot.__dataclass_fields__}
    fields["answers"] = tuple(replace(answer, purpose=IMPORT) for answer in made.answers)
    imported = Snapshot(**fields)
    pace = audit_questions.pace(imported, "labelling", None)
    assert pace.owed == 0, "nobody was asked anything yet"
    ahead = len(audit_questions.plan_audits(imported, probe_of(imported), pace).asks)
    assert ahead == int(pace.share * audit_questions.AHEAD), "the probe is worth measuring from the first question on"
    assert audit_questions.pace(made, "labelling", None).owed > 6, "asked, the same answers would owe some"


def test_an_audit_whose_only_answer_was_set_aside_is_asked_of_somebody_else() -> None:
    made = seen(audits=6, known=0)
    audit = next(answer for answer in made.answers if answer.purpose == AUDIT)
    row = int(made.view.pool.positions([audit.asset_id])[0])
    two = snapshot(2)
    fields = {name: getattr(made, name) for name in Snapshot.__dataclass_fields__}
    fields |= {"queues": two.queues, "experts": two.experts, "asked": (task(1, row, queue=1, state="answered"),)}
    before = Snapshot(**fields)
    assert not audit_questions.unasked_audits(before)
    fields["answers"] = tuple(answer for answer in made.answers if answer is not audit)
    fields["answer_rows"] = tuple(pair for pair in made.answer_rows if pair[0] != row)
    gone = Snapshot(**fields)
    (again,) = audit_questions.unasked_audits(gone)
    assert (again.index, again.purpose, again.inclusion) == (row, AUDIT, made.design.inclusion(audit.asset_id))
    plans = {plan.queue: rows(plan.order) for plan in assign_to_queues(gone, [again], size=5)}
    assert plans == {1: [], 2: [row]}
    alone = replace(gone, queues=two.queues[:1])
    assert rows(assign_to_queues(alone, [again], size=5)[0].order) == []
