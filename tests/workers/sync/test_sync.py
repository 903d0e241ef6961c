"""The sync, on a real Label Studio: what it holds ends up in the records, whatever clocks and people do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from attune.labeler.label_studio import LabelStudio
from attune.labeler.label_studio import queue_tasks as label_studio_queue
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.queues import stopping
from attune.labeler.queues.stopping import GRACE
from attune.labeler.records.schema import Annotation, AnnotationEvent, Asset, Attribute, Expert, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.workers.sync import changed_tasks, sync, upkeep
from tests.support.factories import add_assets, add_attribute, add_expert, add_queue, add_task, stand
from tests.support.inside_label_studio import hide_answer
from tests.support.services import Services

IMAGE = "http://127.0.0.1:1/x.jpg"


@pytest.fixture
def assets(live: Settings) -> list[Asset]:
    return add_assets(live, 3)


@pytest.fixture
def queue(live: Settings, ls: LabelStudio, project: Project, assets: list[Asset]) -> Queue:
    """Ana's queue with a question for each asset, the same in Label Studio and in the records."""
    made = add_queue(live, add_attribute(live), add_expert(live))
    new = [NewTask(one.asset_id, IMAGE, 0.1) for one in assets]
    for asset, where in zip(assets, label_studio_queue.add(ls, project.id, new), strict=True):
        stand(live, add_task(live, made, asset), where)
    with writing(live) as session:
        row = session.get_one(Queue, made.id)
        row.project, row.view, row.webhook = project.id, project.view, project.webhook
        return row


def tasks(settings: Settings) -> list[int]:
    with reading(settings) as session:
        return list(session.scalars(select(Task.label_studio_task).order_by(Task.id)))


def values(settings: Settings) -> list[str]:
    with reading(settings) as session:
        return list(session.scalars(select(Annotation.value).order_by(Annotation.id)))


@pytest.mark.services
@pytest.mark.slow
def test_the_last_answers_of_a_leaver_are_read_for_another_day(
    live: Settings, queue: Queue, expert: ExpertSession
) -> None:
    expert.answer(tasks(live)[0], "romance")
    with writing(live) as session:
        session.get_one(Queue, queue.id).closed_at = now() - timedelta(hours=2)
    assert sync.run(live, lambda *_: None)["changed"] == 1
    assert values(live) == ["romance"]
    with writing(live) as session:
        session.get_one(Queue, queue.id).closed_at = now() - timedelta(days=2)
    assert sync.run(live, lambda *_: None)["queues"] == 0


@pytest.mark.services
@pytest.mark.slow
def test_a_stopped_queue_is_emptied_but_for_what_may_be_on_a_screen(
    live: Settings, ls: LabelStudio, queue: Queue, expert: ExpertSession
) -> None:
    shown, answered, waits = tasks(live)
    expert.answer(answered, "romance")
    with writing(live) as session:
        session.scalars(select(Task).where(Task.label_studio_task == shown)).one().offered_at = now()
        session.get_one(Queue, queue.id).stopped_at = now()
        for task in session.scalars(select(Task)):
            task.state = "retired"
    sync.run(live, lambda *_: None)
    assert label_studio_queue.open_tasks(ls, queue.project) == [shown], "an answer may be on its way"
    assert tasks(live) == [shown, answered, None]
    assert values(live) == ["romance"]
    with writing(live) as session:
        session.get_one(Queue, queue.id).stopped_at = now() - 2 * GRACE
    sync.run(live, lambda *_: None)
    assert tasks(live) == [None, answered, None]
    assert label_studio_queue.open_tasks(ls, queue.project) == []
    assert waits not in tasks(live)


@pytest.mark.services
@pytest.mark.slow
def test_what_a_stop_gave_back_goes_although_the_queue_is_started_before_the_next_sync(
    live: Settings, ls: LabelStudio, queue: Queue, expert: ExpertSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping.ingest, "ask_to_learn", lambda *_: None)
    # The questions stand there for longer than that: what changed just now is read again, and would be open again.
    monkeypatch.setattr(changed_tasks, "OVERLAP", timedelta(0))
    shown, answered, _ = tasks(live)
    expert.answer(answered, "romance")
    sync.run(live, lambda *_: None)
    with writing(live) as session:
        session.scalars(select(Task).where(Task.label_studio_task == shown)).one().offered_at = now()
        attribute, email = (
            session.get_one(Attribute, queue.attribute_id).name,
            session.get_one(Expert, queue.expert_id).email,
        )
    stopping.stop(live, attribute, email)
    stopping.start(live, attribute, email)
    sync.run(live, lambda *_: None)
    assert label_studio_queue.open_tasks(ls, queue.project) == [shown], "an answer may be on its way"
    assert tasks(live) == [shown, answered, None]
    expert.answer(shown, "neither")
    sync.run(live, lambda *_: None)
    assert values(live) == ["romance", "neither"]
    assert tasks(live) == [shown, answered, None]


@pytest.mark.services
@pytest.mark.slow
def test_a_clock_that_was_ahead_hides_no_answer(
    live: Settings, ls: LabelStudio, queue: Queue, expert: ExpertSession
) -> None:
    with writing(live) as session:
        session.get_one(Queue, queue.id).synced_until = now() + timedelta(days=1)
    sync.run(live, lambda *_: None)
    expert.answer(tasks(live)[0], "neither")
    sync.run(live, lambda *_: None)
    assert values(live) == ["neither"]


@pytest.mark.services
@pytest.mark.slow
def test_a_second_answer_in_another_window_is_a_correction_in_the_records(
    live: Settings, queue: Queue, expert: ExpertSession
) -> None:
    first, other, _ = tasks(live)
    answered, skipped = expert.answer(first, "romance"), expert.skip(other)
    sync.run(live, lambda *_: None)
    assert (expert.answer(first, "neither"), expert.answer(other, "romance")) == (answered, skipped)
    sync.run(live, lambda *_: None)
    assert expert.skip(first) == answered
    assert sync.run(live, lambda *_: None)["changed"] == 1, "the page says that it was skipped"
    assert values(live) == ["skip", "romance"]
    lines = select(AnnotationEvent.kind, AnnotationEvent.value).order_by(
        AnnotationEvent.annotation_id, AnnotationEvent.id
    )
    with reading(live) as session:
        said = [tuple(line) for line in session.execute(lines)]
    of_first = [("created", "romance"), ("changed", "neither"), ("changed", "skip")]
    assert said == [*of_first, ("created", "skip"), ("changed", "romance")]


@pytest.mark.services
@pytest.mark.slow
def test_an_answer_of_a_label_studio_killed_before_its_tasks_time_is_read_by_the_next_sync(
    live: Settings, queue: Queue, expert: ExpertSession, services: Services
) -> None:
    sync.run(live, lambda *_: None)
    for task, value in zip(tasks(live), ("neither", "skip"), strict=False):
        expert.answer(task, value)
        hide_answer(services.inside, task)
    assert sync.run(live, lambda *_: None)["changed"] == 2
    assert values(live) == ["neither", "skip"]


@pytest.mark.services
@pytest.mark.slow
def test_a_second_task_of_an_image_goes_unless_somebody_has_begun_it(
    live: Settings, ls: LabelStudio, queue: Queue, assets: list[Asset], expert: ExpertSession
) -> None:
    twin, begun = (
        ls.sdk.projects.import_tasks(
            id=queue.project,
            request=[{"data": {"image": IMAGE, "asset_id": asset.asset_id}}],
            return_task_ids=True,
        ).task_ids[0]
        for asset in assets[:2]
    )
    expert.draft(begun, "romance")
    stranger = ls.sdk.projects.import_tasks(
        id=queue.project, request=[{"data": {"image": IMAGE, "asset_id": "put in by hand"}}], return_task_ids=True
    ).task_ids[0]
    sync.run(live, lambda *_: None, whole=True)
    assert label_studio_queue.open_tasks(ls, queue.project) == [*tasks(live), begun, stranger]
    assert twin not in label_studio_queue.open_tasks(ls, queue.project)


def test_an_order_that_is_none_of_ours_has_no_number() -> None:
    assert [upkeep.number_of(name) for name in ("order-12-token-3-run-4", "order-of-merit", "v1", "")] == [12, 0, 0, 0]
