"""What a round writes into the queues: nothing is taken from a screen, nothing a newer learner wrote is overwritten."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from attune.labeler.assets.active_pool import PoolView
from attune.labeler.jobs import learn_lease
from attune.labeler.label_studio import queue_tasks as label_studio_queue
from attune.labeler.label_studio.task_address import Address
from attune.labeler.records.schema import Annotation, Asset, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now, set_clock
from attune.models.errors import JobSuperseded
from attune.models.labels.answers import BY_HAND
from attune.workers.jobs import learn
from attune.workers.rounds import apply_order
from attune.workers.rounds.apply_order import GRACE, SERVED, may_be_on_screen
from attune.workers.rounds.queue_plan import QueuePlan
from attune.workers.rounds.snapshot import Snapshot
from tests.support import factories
from tests.workers.rounds.test_queue_plan import NOON, ask, rows, snapshot

MINUTE = timedelta(minutes=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return factories.workspace(tmp_path)


@pytest.fixture
def queue(settings: Settings) -> Queue:
    return factories.add_queue(settings, factories.add_attribute(settings), factories.add_expert(settings))


@pytest.mark.parametrize(
    ("offered", "answered", "stays"),
    [
        (None, NOON, False),  # it never stood where anybody could be given it
        (NOON - GRACE - MINUTE, None, True),  # the expert opened the page and has not answered yet
        (NOON - timedelta(hours=10), NOON - timedelta(hours=10) + SERVED / 2, True),  # the last before the night
        (NOON - timedelta(hours=10), NOON - timedelta(hours=9), False),  # answers came since: that screen moved on
        (NOON - MINUTE, NOON, True),
        (NOON - timedelta(days=20), None, False),  # nobody's screen any more
    ],
)
def test_a_question_stays_as_long_as_it_may_be_on_a_screen(
    offered: datetime | None, answered: datetime | None, stays: bool
) -> None:
    with set_clock(lambda: NOON):
        assert may_be_on_screen(offered, answered) is stays


def test_an_order_from_a_clock_that_was_set_back_is_followed_by_the_next() -> None:
    seen = snapshot(1)
    row = seen.queues[0]
    row.model_version, row.ordered_at = "order-1", now() + timedelta(days=1)
    plan = QueuePlan(1, list(_asked(30)))
    assert apply_order.is_due(row, plan, None)
    row.ordered_at = now()
    assert not apply_order.is_due(row, plan, None)


def test_a_question_asked_anew_is_not_retired_with_the_one_that_vanished(settings: Settings, queue: Queue) -> None:
    old, new = (factories.add_task(settings, queue, asset) for asset in factories.add_assets(settings, 2))
    with writing(settings) as session:
        session.execute(update(Task).where(Task.id == new.id).values(label_studio_task=9_001))
    apply_order._forget(settings, queue, [old.label_studio_task, new.label_studio_task])
    with reading(settings) as session:
        assert [session.get_one(Task, one.id).state for one in (old, new)] == ["retired", "open"]


def test_an_image_answered_while_the_round_went_on_keeps_what_it_was_asked_for(
    settings: Settings, queue: Queue
) -> None:
    first, second = factories.add_assets(settings, 2)
    given = factories.add_answer(settings, queue, first, "romance", "audit")
    by_hand = factories.add_answer(settings, queue, second, "romance", BY_HAND)
    seen = showing(first, second)
    with writing(settings) as session:
        for row in (0, 1):
            apply_order._keep(session, seen, queue, ask(row, "likely"), Address(9_000 + row, f"key-{row}"), 7, None)
    with reading(settings) as session:
        told = [session.get_one(Annotation, one.id).purpose for one in (given, by_hand)]
        tasks = [(one.purpose, one.state) for one in session.scalars(select(Task).order_by(Task.id))]
    assert told == ["audit", "likely"]
    assert tasks == [("audit", "answered"), ("likely", "answered")]


def test_what_a_round_asks_in_a_queue_that_was_stopped_meanwhile_is_not_asked(settings: Settings, queue: Queue) -> None:
    (asset,) = factories.add_assets(settings, 1)
    with writing(settings) as session:
        session.get_one(Queue, queue.id).stopped_at = NOON
    with writing(settings) as session:
        apply_order._keep(session, showing(asset), queue, ask(0, "likely"), Address(9_000, "key-0"), 7, None)
    with reading(settings) as session:
        assert session.scalars(select(Task.state)).one() == "retired"


def test_a_superseded_learner_files_no_question(
    settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It imported its questions when a newer learner had taken over already."""
    (asset,) = factories.add_assets(settings, 1)
    with set_clock(lambda: NOON):
        old = learn_lease.acquire_lease(settings, queue.attribute_id)
    assert old is not None
    assert learn_lease.acquire_lease(settings, queue.attribute_id) is not None
    seen = showing(asset)
    plan = QueuePlan(queue.id, [ask(0)])
    monkeypatch.setattr(label_studio_queue, "add", lambda *_, **__: [Address(9_000, "k")])
    with pytest.raises(JobSuperseded):
        apply_order._add(settings, None, seen, queue, plan, {0: 0.5}, 3, old)  # type: ignore[arg-type]
    with reading(settings) as session:
        assert not session.scalars(select(Task)).all()
    assert rows(plan.order) == [0]


def test_a_learner_keeps_its_lease_while_it_works(
    settings: Settings, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*_: object) -> dict[str, object]:
        return {"kept": [thread.name for thread in threading.enumerate() if thread.name == "lease"]}

    monkeypatch.setattr(learn, "_rounds", look)
    assert learn.run(settings, lambda *_: None, "romance")["kept"] == ["lease"]
    assert not look()["kept"]


def showing(*assets: Asset) -> Snapshot:
    """A snapshot whose first rows are these assets."""
    seen = snapshot(1)
    keys = seen.view.keys.copy()
    keys[: len(assets)] = [asset.id for asset in assets]
    fields = {name: getattr(seen, name) for name in Snapshot.__dataclass_fields__}
    return Snapshot(**{**fields, "view": PoolView(seen.view.pool, keys, seen.view.fingerprint)})


def _asked(count: int) -> list[apply_order.Asked]:
    return [
        apply_order.Asked(key, key, 1, Address(1000 + key, f"key-{key}"), "borderline", "open", None)
        for key in range(count)
    ]
