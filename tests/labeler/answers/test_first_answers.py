"""The first answer measures: what its expert makes of it later changes what is shown, and what trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from attune.labeler import settings as reader
from attune.labeler.answers import counting, exclude_expert, first_answers, ingest, withdrawn
from attune.labeler.answers.annotation_values import ReadAnnotation
from attune.labeler.answers.reading_order import of_now
from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Asset, Expert, Queue, Task
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.recent import LATER, recent
from attune.models.clock import now
from attune.models.labels.answers import AUDIT, SKIP
from tests.support import databases, factories

BEFORE = now() - timedelta(hours=3)
_ids = count(70_000)


@pytest.fixture(params=databases.BOTH)
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("first")
    made = reader.build(
        {}, workspace=folder, database_url=databases.database(request), redis_url="redis://127.0.0.1:1/0"
    )
    factories.newest(made)
    yield made
    engine(made.records_url).dispose()


@pytest.fixture
def audits(settings: Settings, queue: Queue) -> list[Task]:
    """Two audits that wait."""
    return [
        factories.add_task(settings, queue, asset, AUDIT, inclusion=0.5) for asset in factories.add_assets(settings, 2)
    ]


def say(
    settings: Settings,
    queue: Queue,
    ana: Expert,
    task: Task,
    value: str,
    at: datetime,
    of: ReadAnnotation | None = None,
) -> ReadAnnotation:
    """Ana answers ``task`` in Label Studio, or corrects the answer ``of``."""
    with writing(settings) as session:
        asset = session.get_one(Asset, task.asset_pk).asset_id
        number, begun = (of.label_studio_id, of.answered_at) if of else (next(_ids), at)
        assert task.label_studio_task is not None
        seen = ReadAnnotation(number, task.label_studio_task, asset, value, ana.label_studio_user, begun, at, 1.0)
        ingest.store(session, session.get_one(Queue, queue.id), seen, of_now(session))
    return seen


def delete(settings: Settings, seen: ReadAnnotation) -> None:
    with writing(settings) as session:
        gone = session.query(Annotation).filter_by(label_studio_id=seen.label_studio_id)
        withdrawn.withdraw(session, gone, "sync")


def first(settings: Settings) -> list[str]:
    with reading(settings) as session:
        return [one.value for one in first_answers.read(session, attributes.find(session, "serious"))]


def shown(settings: Settings) -> list[str]:
    with reading(settings) as session:
        return [row.value for row in session.execute(counting.current().select())]


def test_a_correction_is_shown_and_does_not_measure(
    settings: Settings, queue: Queue, ana: Expert, audits: list[Task]
) -> None:
    seen = say(settings, queue, ana, audits[0], "yes", BEFORE)
    say(settings, queue, ana, audits[0], "no", BEFORE + timedelta(minutes=3), of=seen)
    assert (first(settings), shown(settings)) == (["yes"], ["no"])


def test_an_answer_that_was_deleted_and_given_anew_measures_as_it_was(
    settings: Settings, queue: Queue, ana: Expert, audits: list[Task]
) -> None:
    seen = say(settings, queue, ana, audits[0], "yes", BEFORE)
    delete(settings, seen)
    assert (first(settings), shown(settings)) == (["yes"], [])
    say(settings, queue, ana, audits[0], "no", BEFORE + timedelta(hours=1))
    assert (first(settings), shown(settings)) == (["yes"], ["no"])


@pytest.mark.parametrize(
    ("seconds", "between", "value", "counts"),
    [(100, None, "no", ["no"]), (121, None, "no", ["yes"]), (100, 50, "no", ["yes", "no"]), (100, None, SKIP, [])],
)
def test_a_slip_counts_only_before_the_next_answer_and_for_two_minutes(
    settings: Settings, queue: Queue, ana: Expert, audits: list[Task], seconds: int, between: int | None, value: str,
    counts: list[str],
) -> None:  # fmt: skip
    seen = say(settings, queue, ana, audits[0], "yes", BEFORE)
    if between:
        say(settings, queue, ana, audits[1], "no", BEFORE + timedelta(seconds=between))
    say(settings, queue, ana, audits[0], value, BEFORE + timedelta(seconds=seconds), of=seen)
    assert first(settings) == counts


def test_after_a_skip_the_first_answer_is_the_one_that_says_something(
    settings: Settings, queue: Queue, ana: Expert, audits: list[Task]
) -> None:
    seen = say(settings, queue, ana, audits[0], SKIP, BEFORE)
    say(settings, queue, ana, audits[0], "no", BEFORE + timedelta(hours=1), of=seen)
    say(settings, queue, ana, audits[0], "yes", BEFORE + timedelta(hours=2), of=seen)
    assert first(settings) == ["no"]


def test_what_an_owner_excludes_measures_no_more_also_where_its_expert_had_deleted_it(
    settings: Settings, queue: Queue, ana: Expert, audits: list[Task]
) -> None:
    delete(settings, say(settings, queue, ana, audits[0], "yes", BEFORE))
    say(settings, queue, ana, audits[1], "no", BEFORE + timedelta(minutes=1))
    assert sorted(first(settings)) == ["no", "yes"]
    exclude_expert.exclude(settings, ana.email)
    assert first(settings) == []
    exclude_expert.include(settings, ana.email)
    assert sorted(first(settings)) == ["no", "yes"]


def test_a_first_answer_is_read_as_the_revisions_since_then_say(
    settings: Settings, queue: Queue, ana: Expert, audits: list[Task]
) -> None:
    seen = say(settings, queue, ana, audits[0], "yes", BEFORE)
    say(settings, queue, ana, audits[0], "no", BEFORE + timedelta(hours=1), of=seen)
    with reading(settings) as session:
        definition = revise_attribute.definition_of(attributes.find(session, "serious"))
    revise_attribute.revise(settings, replace(definition, classes=["grave", "no"]), "a word", into={"yes": "grave"})
    assert (first(settings), shown(settings)) == (["grave"], ["no"])


def test_no_reason_is_told_while_a_correction_still_counts(
    settings: Settings, queue: Queue, ana: Expert, audits: list[Task]
) -> None:
    viewer = Viewer("expert", ana.email, ana.id)
    at = now() - timedelta(seconds=30)
    say(settings, queue, ana, audits[0], "yes", at)
    with reading(settings) as session:
        assert [one.reason for one in recent(session, viewer, queue.attribute_id).items] == [LATER]
    say(settings, queue, ana, audits[1], "yes", at + timedelta(seconds=10))
    with reading(settings) as session:
        assert [one.reason == LATER for one in recent(session, viewer, queue.attribute_id).items] == [True, False]
