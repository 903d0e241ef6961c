"""The plan is dealt out: the most useful image next, audits that cannot be told, nobody asked twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attune.labeler.assets.active_pool import PoolView
from attune.labeler.label_studio.task_address import Address
from attune.labeler.records.schema import Attribute, Queue
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.audit_pace import Pace
from attune.models.labels.answers import AUDIT, Answer
from attune.models.probes.learner import fit
from attune.models.query.planner import Ask
from attune.models.vectors.pool import Pool
from attune.workers.jobs.learn import questions
from attune.workers.rounds import audit_questions
from attune.workers.rounds.learning_round import Learned
from attune.workers.rounds.queue_plan import HEAD, asked_rows, assign_to_queues, coming_count, missing_by_queue
from attune.workers.rounds.second_opinions import SecondOpinionPlan
from attune.workers.rounds.snapshot import Asked, Snapshot

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
N = 200


def view() -> PoolView:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, 8)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ids = np.array([f"a{i}" for i in range(N)])
    made = Fingerprint(library="test", model="m", weights="w", preprocessing={"size": 1}, dimension=8, normalised=True)
    return PoolView(Pool(ids, np.array([f"t{i}" for i in range(N)]), (x,)), np.arange(1, N + 1), made)


VIEW = view()


def snapshot(
    queues: int = 2, asked: Sequence[Asked] = (), said: Sequence[tuple[int, int, str]] = (), **more: Any
) -> Snapshot:
    """``said``: (row, expert, value) in the order of answering."""
    attribute = Attribute(
        id=1, name="x", question="?", classes=["yes", "no"], settings={"seed": 5}, created_at=NOON, revision=1
    )
    return Snapshot(
        attribute=attribute,
        queues=tuple(
            Queue(id=q, attribute_id=1, expert_id=q, project=q, view=1, model_version="") for q in range(1, queues + 1)
        ),
        experts={q: f"e{q}@x.org" for q in range(1, queues + 1)},
        view=VIEW,
        answers=tuple(
            Answer(f"a{row}", f"t{row}", f"e{who}@x.org", value, "borderline", NOON) for row, who, value in said
        ),
        answer_rows=tuple((row, who) for row, who, _ in said),
        asked=tuple(asked),
        design=AuditDesign(5),
        last_run=None,
        **more,
    )


def ask(row: int, purpose: str = "borderline") -> Ask:
    return Ask(row, f"a{row}", purpose, 0.5, "because", 0.1 if purpose == AUDIT else None)


def task(
    key: int, row: int, queue: int = 1, state: str = "open", purpose: str = "borderline", due: int | None = None
) -> Asked:
    return Asked(key, row, queue, Address(1000 + key, f"key-{key}"), purpose, state, due)


def rows(order: Sequence[Asked | Ask]) -> list[int]:
    return [item.index if isinstance(item, Ask) else item.row for item in order]


def test_the_best_questions_come_first_in_every_queue() -> None:
    plans = assign_to_queues(snapshot(), [ask(row) for row in range(20)], size=10)
    assert sorted(rows(plans[0].order) + rows(plans[1].order)) == list(range(20))
    for plan in plans:
        assert rows(plan.order) == sorted(rows(plan.order))
        assert min(rows(plan.order)) <= 1


def test_an_open_question_stays_in_its_queue_and_moves_to_its_new_rank() -> None:
    before = [task(1, row=7), task(2, row=3)]
    plan = assign_to_queues(snapshot(1, before), [ask(row) for row in (3, 5, 7)], size=10)[0]
    assert rows(plan.order) == [3, 5, 7]
    assert [item.index for item in plan.new] == [5]
    assert plan.stale == []


def test_a_full_queue_takes_a_new_head_and_keeps_its_reserve_behind() -> None:
    before = [task(key, row=100 + key) for key in range(40)]
    plan = assign_to_queues(snapshot(1, before), [ask(row) for row in range(40)], size=40)[0]
    assert rows(plan.new) == list(range(HEAD))
    assert rows(plan.order)[:HEAD] == list(range(HEAD))
    assert len(plan.order) == 40 + HEAD
    assert plan.head == plan.order[:HEAD]
    assert plan.stale == []


def test_a_queue_that_has_grown_is_cut_back_to_its_size_at_its_stale_end() -> None:
    before = [task(key, row=100 + key) for key in range(55)]
    plan = assign_to_queues(snapshot(1, before), [ask(row) for row in range(12)], size=40)[0]
    assert len(plan.order) == 40
    assert sorted(item.key for item in plan.stale) == list(range(27))


def test_an_empty_queue_is_filled_at_once() -> None:
    assert missing_by_queue(snapshot(1), 40) == {1: 40}
    assert len(assign_to_queues(snapshot(1), [ask(row) for row in range(40)], size=40)[0].new) == 40


def test_nobody_is_asked_what_he_or_she_answered() -> None:
    seen = snapshot(2, [task(1, 4, state="answered")], [(4, 1, "yes")])
    first, second = assign_to_queues(seen, [ask(4, "second-opinion")], size=10)
    assert rows(first.order) == []
    assert rows(second.order) == [4]


def test_a_question_whose_asset_left_the_pool_is_taken_out() -> None:
    plan = assign_to_queues(snapshot(1, [task(1, row=-1)]), [ask(2)], size=10)[0]
    assert [item.key for item in plan.stale] == [1]
    assert rows(plan.order) == [2]


def test_an_audit_keeps_its_turn_whatever_the_probe_says() -> None:
    answered = [task(10 + i, 50 + i, state="answered") for i in range(6)]
    waiting = task(1, row=90, purpose=AUDIT, due=8)
    plan = assign_to_queues(snapshot(1, [*answered, waiting]), [ask(row) for row in range(10)], size=10)[0]
    assert rows(plan.order)[2] == 90
    later = assign_to_queues(
        snapshot(1, [*answered, task(17, 60, state="answered"), task(18, 61, state="answered"), waiting]), [ask(0)], 10
    )[0]
    assert rows(later.order)[0] == 90


def test_fresh_audits_do_not_stand_together_at_the_front() -> None:
    asks = [ask(row, AUDIT) for row in range(100, 106)] + [ask(row) for row in range(40)]
    places = [i for i, row in enumerate(rows(assign_to_queues(snapshot(1), asks, size=40)[0].order)) if row >= 100]
    assert len(places) == 6
    assert 0 not in places
    assert max(places) > 5


def test_a_batch_on_demand_is_mixed_into_other_new_questions_of_those_it_was_asked_of() -> None:
    before = [task(1, row=90, purpose=AUDIT, due=1), *(task(2 + n, row=60 + n) for n in range(30))]
    asks = [ask(row, AUDIT) for row in range(100, 140)] + [ask(row) for row in range(40)]
    plans = assign_to_queues(snapshot(2, before), asks, 40, experts=["e1@x.org"])
    new = rows(plans[0].new)
    assert len(new) == 24
    audits = [place for place, row in enumerate(new) if row >= 100]
    assert len(audits) == HEAD, "an import with more audits than other questions tells them"
    assert audits not in (list(range(HEAD)), list(range(HEAD, 2 * HEAD)))
    assert not set(rows(plans[1].order)) & set(range(100, 140)), "they were asked of one expert: the rest waits"
    assert coming_count(snapshot(2, before), asks[:40], plans) == 40 - HEAD
    assert coming_count(snapshot(1, [task(1, row=100, state="answered")]), asks[:1], []) == 0, (
        "no one else could get it"
    )
    shared = assign_to_queues(snapshot(2), asks, 40)
    assert [sum(row >= 100 for row in rows(plan.new)) for plan in shared] == [20, 20]


def test_audits_come_alone_only_where_few_of_them_wait_or_nothing_else_is_to_be_asked() -> None:
    audits = [ask(row, AUDIT) for row in range(100, 110)]
    full = [task(n, row=n) for n in range(40)]
    assert len(assign_to_queues(snapshot(1, full), audits, 40)[0].new) == 1
    waiting = [task(50 + n, row=60 + n, purpose=AUDIT, due=1) for n in range(5)]
    assert not assign_to_queues(snapshot(1, [*full, *waiting]), audits, 40)[0].new
    assert len(assign_to_queues(snapshot(1, waiting), audits, 40)[0].new) == 10


def test_a_second_opinion_goes_to_the_expert_who_adds_most_unless_he_has_seen_it() -> None:
    seen = snapshot(3, [task(1, 4, state="answered")], [(4, 1, "yes")])
    assert [
        rows(plan.order) for plan in assign_to_queues(seen, [ask(4, "second-opinion")], 10, queue_of_row={4: 3})
    ] == [[], [], [4]]
    assert [
        rows(plan.order) for plan in assign_to_queues(seen, [ask(4, "second-opinion")], 10, queue_of_row={4: 1})
    ] == [[], [4], []]


def test_a_second_opinion_that_waits_stays_where_somebody_comes_to_it() -> None:
    before = [task(1, row=7, purpose="second-opinion"), *(task(2 + i, row=60 + i) for i in range(20))]
    plan = assign_to_queues(snapshot(1, before), [ask(row) for row in range(20)], size=40)[0]
    assert rows(plan.order)[0] == 7


def test_the_planner_is_kept_from_answers_and_waiting_audits() -> None:
    seen = snapshot(1, [task(1, 3), task(2, 4, purpose=AUDIT), task(3, 5, state="answered")], [(5, 1, "yes")])
    assert asked_rows(seen).tolist() == [5, 4]
    seen = snapshot(1, asked=[task(1, row=5, purpose="audit")])
    seen.attribute.in_scope, seen.attribute.out_of_scope = ["a9", "as it says"], ["a5", "a8"]
    assert asked_rows(seen).tolist() == [5, 9, 8], "the question tells the answer of its examples"


def test_a_removed_asset_whose_vector_is_still_there_is_neither_asked_nor_drawn_nor_counted() -> None:
    """As after a kill between the records and the vectors."""
    kept = np.arange(N) < N // 2
    hidden = PoolView(VIEW.pool, np.where(kept, VIEW.keys, -1), VIEW.fingerprint)
    said = [(row, 1, "yes" if row % 2 else "no") for row in range(30)]
    fields = {name: getattr(snapshot(1, said=said), name) for name in Snapshot.__dataclass_fields__}
    seen = Snapshot(**{**fields, "view": hidden})
    seen.attribute.settings = {"seed": 5, "reserved_share": 0.3, "audit_share": 0.9, "strategy": "attune"}
    probe = fit(VIEW.pool, seen.training, ["yes", "no"], None, seen.learner, seen.seed)
    learned = Learned(probe, {}, 1, True, Pace(60, 20.0, 0.5))
    audits = audit_questions.plan_audits(seen, probe, learned.pace)
    asks = questions(seen, learned, None, 150, audits, SecondOpinionPlan())
    assert any(ask.purpose == AUDIT for ask in asks)
    assert not [ask for ask in asks if not kept[ask.index]]
    assert hidden.positions(["a0", f"a{N - 1}", "a-stranger"]).tolist() == [0, -1, -1]


@given(
    st.lists(st.integers(0, 59), unique=True, max_size=60),
    st.lists(st.tuples(st.integers(0, 59), st.integers(1, 3)), max_size=40, unique_by=lambda pair: pair[0]),
    st.integers(1, 15),
)
def test_every_open_question_is_either_ordered_once_or_stale(
    asks: list[int], before: list[tuple[int, int]], size: int
) -> None:
    waiting = [task(key, row, queue) for key, (row, queue) in enumerate(before)]
    plans = assign_to_queues(snapshot(3, waiting), [ask(row) for row in asks], size)
    kept = [item.key for plan in plans for item in plan.order if isinstance(item, Asked)]
    stale = [item.key for plan in plans for item in plan.stale]
    assert sorted(kept + stale) == [item.key for item in waiting]
    fresh = [item.index for plan in plans for item in plan.new]
    assert len(fresh) == len(set(fresh))
    assert not set(fresh) & {row for row, _ in before}
    for plan in plans:
        assert len(plan.order) <= max(1.5 * size, HEAD) + size
