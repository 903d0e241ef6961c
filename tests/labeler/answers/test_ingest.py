"""Answers arrive twice, late, out of order, edited and deleted: the records must end up the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from attune.labeler import settings as reader
from attune.labeler.answers import ingest, uncounted, withdrawn
from attune.labeler.answers.annotation_values import ReadAnnotation, read
from attune.labeler.answers.reading_order import Asked, asked_now, of_now
from attune.labeler.records.schema import (
    Annotation,
    AnnotationEvent,
    Asset,
    Attribute,
    Base,
    Expert,
    Queue,
    Stray,
    Task,
    User,
)
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.support import databases, factories

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANA, BEN = 11, 12  # user ids in Label Studio


@pytest.fixture(scope="module", params=databases.BOTH)
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    made = reader.build({}, workspace=tmp_path_factory.mktemp("ingest"), database_url=databases.database(request))
    factories.newest(made)
    yield made
    engine(made.records_url).dispose()


@pytest.fixture
def records(workspace: Settings) -> Settings:
    _fill(workspace)
    return workspace


def _fill(settings: Settings) -> None:
    with writing(settings) as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
        attribute = Attribute(id=1, name="romance", question="?", classes=["yes", "no"], created_at=NOON)
        people = [
            Expert(id=1, email="ana@x.org", name="ana", label_studio_user=ANA, added_at=NOON),
            Expert(id=2, email="ben@x.org", name="ben", label_studio_user=BEN, added_at=NOON),
        ]
        assets = [
            Asset(
                id=i,
                asset_id=f"a{i}",
                title_id=f"t{i}",
                uri="",
                digest=str(i),
                width=1,
                height=1,
                columns={},
                added_at=NOON,
            )
            for i in range(1, 5)
        ]
        session.add_all([attribute, *people, *assets])
        session.flush()
        session.add(Queue(id=1, attribute_id=1, expert_id=1, project=7, view=1, created_at=NOON))
        session.flush()
        session.add_all(
            Task(
                id=i, queue_id=1, asset_pk=i, label_studio_task=100 + i, purpose="borderline", utility=0.5, reason="r",
                run=1, created_at=NOON,
            )
            for i in range(1, 4)
        )  # fmt: skip
        if session.get_bind().dialect.name == "postgresql":
            session.flush()
            session.execute(text("SELECT setval('tasks_id_seq', 100)"))  # numbers given by hand do not count there


def seen(
    number: int = 1, value: str = "yes", minutes: int = 0, by: int | None = ANA, task: int = 101, asset: str = "a1"
) -> ReadAnnotation:
    moment = NOON + timedelta(minutes=minutes)
    return ReadAnnotation(number, task, asset, value, by, NOON, moment, 1.0)


def tell(settings: Settings, *what: ReadAnnotation, asked: Asked | None = None) -> list[bool]:
    """What readings show, one after the other, each ``asked`` for then, or as it comes."""
    done = []
    for item in what:
        with writing(settings) as session:
            done.append(ingest.store(session, session.get_one(Queue, 1), item, asked or of_now(session)))
    return done


def gone(settings: Settings, number: int) -> None:
    """A reading finds that Label Studio holds the annotation no more."""
    with writing(settings) as session:
        withdrawn.withdraw(
            session, session.scalars(select(Annotation).where(Annotation.label_studio_id == number)), "sync"
        )


def held(settings: Settings) -> list[tuple[int | None, str, bool]]:
    with reading(settings) as session:
        rows = session.scalars(select(Annotation).order_by(Annotation.label_studio_id))
        return [(row.label_studio_id, row.value, row.deleted_at is not None) for row in rows]


def counter(settings: Settings) -> int:
    with reading(settings) as session:
        return session.get_one(Attribute, 1).answers_counter


def test_an_answer_that_two_readings_show_is_kept_once(records: Settings) -> None:
    assert tell(records, seen(), seen()) == [True, False]
    assert held(records) == [(1, "yes", False)]
    assert counter(records) == 1


def test_an_edit_replaces_the_answer_and_keeps_its_history(records: Settings) -> None:
    tell(records, seen(), seen(value="no", minutes=5))
    assert held(records) == [(1, "no", False)]
    with reading(records) as session:
        assert [(e.kind, e.value) for e in session.scalars(select(AnnotationEvent).order_by(AnnotationEvent.id))] == [
            ("created", "yes"),
            ("changed", "no"),
        ]


def test_an_older_state_that_arrives_late_changes_nothing(records: Settings) -> None:
    before = asked_now(records)
    tell(records, seen(value="no", minutes=5))
    assert tell(records, seen(value="yes", minutes=0), asked=before) == [False]
    assert held(records) == [(1, "no", False)]


def test_a_deleted_answer_reopens_its_task(records: Settings) -> None:
    tell(records, seen())
    with reading(records) as session:
        assert session.get_one(Task, 1).state == "answered"
    gone(records, 1)
    with reading(records) as session:
        assert session.get_one(Task, 1).state == "open"
    assert counter(records) == 2


def test_an_answer_belongs_to_who_gave_it_not_to_whose_queue_it_is(records: Settings) -> None:
    tell(records, seen(1, by=BEN), seen(2, by=None), seen(3, by=999))
    with reading(records) as session:
        assert session.execute(select(Annotation.label_studio_id, Annotation.expert_id)).all() == [(1, 2)]
        strays = session.execute(select(Stray.label_studio_id, Stray.author, Stray.reason).order_by(Stray.id)).all()
    assert strays == [(2, "a deleted user", "unknown author"), (3, "user 999", "unknown author")]


def test_an_answer_on_a_task_that_the_records_lost_is_not_lost(records: Settings) -> None:
    assert tell(records, seen(task=555, asset="a4")) == [True]
    with reading(records) as session:
        task = session.scalars(select(Task).where(Task.label_studio_task == 555)).one()
        assert (task.asset_pk, task.purpose, task.state) == (4, "by-hand", "answered")


def test_an_answer_on_an_unknown_asset_is_left_out(records: Settings) -> None:
    assert tell(records, seen(task=556, asset="never-seen")) == [False]
    assert held(records) == []
    with reading(records) as session:
        assert session.execute(select(Stray.asset_id, Stray.reason)).all() == [("never-seen", "unknown image")]


def test_what_label_studio_no_longer_holds_is_missing_unless_newer_than_the_question(records: Settings) -> None:
    asked_before = asked_now(records)
    tell(records, seen(1), seen(2))
    with writing(records) as session:
        queue = session.get_one(Queue, 1)
        assert withdrawn.missing(session, queue, 101, [1], asked_before) == []
        assert [one.label_studio_id for one in withdrawn.missing(session, queue, 101, [1], of_now(session))] == [2]


def test_an_answer_that_came_after_the_clock_was_set_back_is_not_missing_from_an_older_list(records: Settings) -> None:
    """Seen: it was told as deleted, and its expert was asked about the image once more."""
    tell(records, seen(2, by=BEN))
    list_of_before = replace(asked_now(records), at=now() + timedelta(minutes=15))  # the clock was ahead
    tell(records, seen(1))
    with writing(records) as session:
        queue = session.get_one(Queue, 1)
        missing = withdrawn.missing(session, queue, 101, [], list_of_before)
        assert [one.label_studio_id for one in missing] == [2]  # which was there when the list was asked for


def test_a_list_from_before_the_clock_was_set_back_overrules_no_later_correction(records: Settings) -> None:
    tell(records, seen(1, "yes", minutes=3))
    list_of_before = replace(asked_now(records), at=now() + timedelta(minutes=15))
    tell(records, seen(1, "no", minutes=9))
    assert ask(records, seen(1, "yes", minutes=3), asked=list_of_before) == [False]
    assert answers(records) == [("a1", "no", 1)]


def test_a_list_from_before_the_clock_was_set_back_brings_nothing_back(records: Settings) -> None:
    tell(records, seen(1))
    list_of_before = replace(asked_now(records), at=now() + timedelta(minutes=15))
    gone(records, 1)
    assert ask(records, seen(1), asked=list_of_before) == [False]
    assert answers(records) == []


def answers(settings: Settings) -> list[tuple[str, str, int | None]]:
    """Image, value and Label Studio's id of every answer that counts."""
    with reading(settings) as session:
        rows = select(Asset.asset_id, Annotation.value, Annotation.label_studio_id).join(Asset)
        return [tuple(row) for row in session.execute(rows.where(Annotation.deleted_at.is_(None)).order_by(Asset.id))]


def ask(settings: Settings, *what: ReadAnnotation, asked: Asked | None = None) -> list[bool]:
    """What Label Studio showed when it was ``asked`` (None: now)."""
    with writing(settings) as session:
        queue = session.get_one(Queue, 1)
        return [ingest.store(session, queue, one, asked or of_now(session)) for one in what]


def test_an_annotation_id_that_is_used_again_goes_to_its_own_image(records: Settings) -> None:
    tell(records, seen(1))
    assert ask(records, seen(1, "no", minutes=9, task=102, asset="a2")) == [True]
    assert answers(records) == [("a1", "yes", None), ("a2", "no", 1)]  # whether the first is gone, its own task says
    with writing(records) as session:
        gone = withdrawn.missing(session, session.get_one(Queue, 1), 101, [], of_now(session))
        withdrawn.withdraw(session, gone, "sync")
    assert answers(records) == [("a2", "no", 1)]
    with reading(records) as session:
        assert session.get_one(Task, 1).state == "open"  # Label Studio holds no answer to it any more


def test_an_annotation_id_used_again_on_one_task_is_another_answer(records: Settings) -> None:
    tell(records, seen(1))
    again = replace(seen(1, "no", minutes=9), answered_at=NOON + timedelta(minutes=8))
    assert ask(records, again) == [True]
    with writing(records) as session:
        gone = withdrawn.missing(session, session.get_one(Queue, 1), 101, [1], of_now(session))
        withdrawn.withdraw(session, gone, "sync")
    assert answers(records) == [("a1", "no", 1)]
    assert sorted(held(records), key=str) == [(1, "no", False), (None, "yes", True)]


def test_a_task_id_that_is_used_again_takes_no_answer_along(records: Settings) -> None:
    """Seen: a retired audit's id came back for another image, whose answer was filed on the first as an audit."""
    with writing(records) as session:
        old = session.get_one(Task, 1)
        old.state, old.purpose, old.inclusion = "retired", "audit", 0.25
    assert tell(records, seen(1, "no", task=101, asset="a4")) == [True]
    assert answers(records) == [("a4", "no", 1)]
    with reading(records) as session:
        answer = session.scalars(select(Annotation)).one()
        assert (answer.purpose, answer.inclusion) == ("by-hand", None)
        assert session.get_one(Task, 1).label_studio_task is None
        assert session.get_one(Task, answer.task_id).label_studio_task == 101


def test_a_reading_from_before_a_deletion_brings_nothing_back(records: Settings) -> None:
    """It was slow, and another one was here first."""
    tell(records, seen(1))
    before = asked_now(records)
    gone(records, 1)
    assert ask(records, seen(1), asked=before) == [False]
    assert answers(records) == []


def test_an_answer_that_a_later_reading_shows_again_counts_again(records: Settings) -> None:
    tell(records, seen(1))
    gone(records, 1)
    assert answers(records) == []
    assert ask(records, seen(1)) == [True]
    assert answers(records) == [("a1", "yes", 1)]


def test_an_edit_under_a_clock_that_was_set_back_is_read_later(records: Settings) -> None:
    before = asked_now(records)
    tell(records, seen(1, "yes", minutes=9))
    earlier = seen(1, "no", minutes=3)
    assert ask(records, earlier, asked=before) == [False]  # an older reading that was slow
    back = replace(asked_now(records), at=now() - timedelta(minutes=15))  # our clock was set back as well
    assert ask(records, earlier, asked=back) == [True]
    assert answers(records) == [("a1", "no", 1)]
    slow = seen(1, "yes", minutes=9)
    assert ask(records, slow, asked=back) == [False], "asked for before the edit was seen, and of before it"
    assert answers(records) == [("a1", "no", 1)]


def test_the_administrators_answer_is_nobodys(records: Settings) -> None:
    """It was filed as the expert's, whose own answer then vanished from the export."""
    assert tell(records, seen(1, "no", by=1), seen(2, "yes", by=ANA)) == [False, True]
    assert answers(records) == [("a1", "yes", 2)]


def test_a_question_that_somebody_else_answered_is_asked_again(records: Settings) -> None:
    before = counter(records)
    ask(records, seen(1, "no", by=1))
    with reading(records) as session:
        assert session.get_one(Task, 1).state == "retired"
    assert counter(records) > before  # the queue is shorter: a round fills it


def test_a_question_asked_again_stays_open_beside_its_stray(records: Settings) -> None:
    """The stray is on the old task, which each sync may read again."""
    ask(records, seen(1, "no", by=1))
    with writing(records) as session:
        again = session.get_one(Task, 1)
        again.state, again.label_studio_task = "open", 555
    ask(records, seen(1, "no", by=1))
    with reading(records) as session:
        assert session.get_one(Task, 1).state == "open"


def test_an_answer_that_the_administrator_edited_is_still_the_experts(records: Settings) -> None:
    tell(records, seen(1))
    assert ask(records, replace(seen(1, "no", minutes=5), edited_by=1)) == [False]
    assert answers(records) == [("a1", "yes", 1)]
    with reading(records) as session:
        assert session.execute(select(Stray.author, Stray.reason)).all() == [("user 1", "edited by somebody else")]
    assert ask(records, replace(seen(1, minutes=6), edited_by=1)) == [False]  # changed back, or marked as the truth
    assert ask(records, seen(1, "no", minutes=7)) == [True]  # by the expert
    with reading(records) as session:
        assert session.scalars(select(Stray.id)).all() == []


@pytest.mark.parametrize("ended", ["removed", "disabled"])
def test_what_was_said_after_the_end_of_access_counts_nowhere(records: Settings, ended: str) -> None:
    """Label Studio closes a moment after the records: answers of that moment trained and measured."""
    tell(records, seen(1), seen(2, "no", task=102, asset="a2"))
    with writing(records) as session:
        end = NOON + timedelta(minutes=10)
        if ended == "removed":
            session.get_one(Expert, 1).removed_at = end
        else:
            login = {"role": "expert", "password_hash": "x", "created_at": NOON, "disabled_at": end, "expert_id": 1}
            session.add(User(email="ana@x.org", **login))
    late = replace(seen(3, task=103, asset="a3"), answered_at=end, updated_at=end + timedelta(seconds=1))
    assert tell(records, late, seen(2, "yes", minutes=11, task=102, asset="a2")) == [False, False]
    assert answers(records) == [("a1", "yes", 1), ("a2", "no", 2)], "what was said before stays as it was"
    assert tell(records, seen(1, "no", minutes=9)) == [True], "in time, and read late"
    with reading(records) as session:
        left = uncounted.list_uncounted(session)
        assert {(one.asset_id, one.reason) for one in left} == {
            ("a2", "given after the person's access ended"),
            ("a3", "given after the person's access ended"),
        }
    assert "attune expert add" in left[0].to_dict()["todo"]
    with writing(records) as session:  # let in again
        session.get_one(Expert, 1).removed_at = None
        session.execute(update(User).values(disabled_at=None))
    assert tell(records, late) == [True]
    with reading(records) as session:
        assert [one.asset_id for one in uncounted.list_uncounted(session)] == ["a2"]


def test_an_expert_with_a_new_address_keeps_the_answers(records: Settings) -> None:
    tell(records, seen(1))
    assert ask(records, replace(seen(1, minutes=1), author="ana@new.org")) == [False]
    assert answers(records) == [("a1", "yes", 1)]


def test_a_task_copied_by_hand_holds_up_nothing(records: Settings) -> None:
    with writing(records) as session:
        session.get_one(Task, 1).key = "k" * 32
    assert ask(records, replace(seen(1, asset="a4", task=555), key="")) == [True]
    copied = read({**PLAIN, "id": 2}, 556, {"asset_id": "a2\0\ud800", "attune_key": "k" * 40}, ["yes", "no"])
    assert ask(records, copied) == [False]
    assert (copied.key, copied.asset_id) == ("", "a2\ufffd?")


TIMES = dict.fromkeys(("created_at", "updated_at"), "2026-03-01T12:00:00Z")
PLAIN = {"result": [{"from_name": "label", "value": {"choices": ["yes"]}}], "completed_by": ANA, **TIMES}


def test_an_answer_filed_as_the_wrong_persons_is_put_right(records: Settings) -> None:
    tell(records, seen(1), seen(2, task=102, asset="a2"))
    assert ask(records, replace(seen(1), completed_by=1), replace(seen(2, task=102, asset="a2"), completed_by=BEN))
    assert answers(records) == [("a2", "yes", 2)]
    with reading(records) as session:
        assert session.scalars(select(Annotation.expert_id).where(Annotation.deleted_at.is_(None))).all() == [2]


def test_an_author_is_known_by_address_not_by_number(records: Settings) -> None:
    """A Label Studio begun anew counts its users from 1 again: Ben has the number that was Ana's."""
    assert ask(records, replace(seen(1, by=ANA), author="ben@x.org")) == [True]
    with reading(records) as session:
        assert session.scalars(select(Annotation.expert_id)).all() == [2]
        assert session.execute(select(Expert.label_studio_user).order_by(Expert.id)).all() == [(None,), (ANA,)]


def test_an_answer_to_a_task_that_shows_another_image_is_left_out(records: Settings) -> None:
    tell(records, replace(seen(1), wrong="another image"))
    assert answers(records) == []
    with reading(records) as session:
        assert session.scalars(select(Stray.reason)).all() == ["another image"]


def test_an_answer_edited_to_nothing_counts_no_longer(records: Settings) -> None:
    tell(records, seen(1))
    empty = replace(seen(1, minutes=4), value="", wrong="no answer")
    assert ask(records, empty) == [True]
    assert answers(records) == []
    assert ask(records, seen(1, "no", minutes=6)) == [True]
    with reading(records) as session:
        assert session.scalars(select(Stray.id)).all() == []


def test_an_answer_to_a_question_that_was_retired_meanwhile_is_kept_once(records: Settings) -> None:
    """It stayed on the expert's screen while the queue moved on."""
    with writing(records) as session:
        session.get_one(Task, 1).state = "retired"
    assert tell(records, seen(), seen()) == [True, False]
    assert held(records) == [(1, "yes", False)]
    with reading(records) as session:
        answer = session.scalars(select(Annotation)).one()
        assert (answer.task_id, answer.purpose) == (1, "borderline")
        assert session.get_one(Task, 1).state == "answered"


EVENTS = [
    seen(1),
    seen(1, "no", 3),
    seen(1, "yes", 6),
    seen(2, "no", 1, BEN),
    seen(3, "unsure", 2, task=102, asset="a2"),
]


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(EVENTS), again=st.lists(st.sampled_from(EVENTS), max_size=4))
def test_any_order_and_any_repetition_end_alike(
    records: Settings, order: list[ReadAnnotation], again: list[ReadAnnotation]
) -> None:
    _fill(records)
    tell(records, *order, *again, asked=asked_now(records))
    assert held(records) == [(1, "yes", False), (2, "no", False), (3, "unsure", False)]


def test_an_answer_on_a_second_task_of_an_asset_is_not_missing_from_the_first(records: Settings) -> None:
    tell(records, seen(1, task=555, asset="a1"))
    with writing(records) as session:
        later, queue = of_now(session), session.get_one(Queue, 1)
        assert withdrawn.missing(session, queue, 101, [], later) == []
        assert [one.label_studio_id for one in withdrawn.missing(session, queue, 555, [], later)] == [1]
