"""Answers from the labelling page: checked against the viewer's own queue, stored in Label Studio, then in the records.

Label Studio stays the place of record: what it says that it has stored is what the records take. An answer names the
key of its task, so that it ends on the image that was shown or nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import annotation_values, change, ingest, uncounted
from attune.labeler.answers.reading_order import Asked, asked_now
from attune.labeler.attributes import revisions
from attune.labeler.label_studio import answering
from attune.labeler.label_studio.answering import Given, Kept
from attune.labeler.labelling import own_queue
from attune.labeler.labelling.kept_connection import label_studio
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset, Attribute, Expert, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnknownAnnotationShape
from attune.models.labels.answers import SKIP, UNSURE

# What became of an answer. One that is not stored is named to its expert, who may be asked about the image again.
STORED, REVISED, GONE, REFUSED = "stored", "revised", "gone", "refused"
SUPERSEDED, ANSWERED = "superseded", "answered"  # the expert answered again since; or before, in another tab
OUTCOMES = {
    "": STORED,
    answering.NOT_TAKEN: REFUSED,
    answering.SUPERSEDED: SUPERSEDED,
    answering.ANSWERED: ANSWERED,
}  # of what Label Studio says; the rest is GONE
LONGEST_LOOK = 3600.0  # seconds; a page left open over lunch says nothing about an answer


@dataclass(frozen=True)
class Answer:
    """One answer as the page sends it; ``once`` (a UUID of the page's) names it for good, ``seconds`` is the look.

    ``age``: seconds since it was given. ``is_first``: the browser showed the image as one without an answer. ``more``:
    seconds of looks in which it was corrected before it was sent.
    """

    once: str
    key: str
    value: str
    seconds: float
    age: float = 0.0
    is_first: bool = False
    more: float = 0.0


def take(settings: Settings, viewer: Viewer, name: str, revision: int, answers: Sequence[Answer]) -> dict[str, str]:
    """Store the viewer's ``answers`` to questions of revision ``revision``; once -> what became of it. Idempotent.

    A later answer to the same task corrects the earlier one, and one that was given before it does not, nor one of a
    browser that showed the image as open, where another tab had answered it. Raises
    UnknownAttribute, AccessError, DataError for a value that is no answer to the question, LabelStudioUnreachable,
    LabelStudioRefused: then nothing was stored that may not be sent again.
    """
    with reading(settings) as session:
        one, queue, expert = own_queue.find(session, viewer, name)
        # Before the values: the expert answered another question than today's, whose classes may have other names.
        if one.revision != revision:
            return dict.fromkeys([answer.once for answer in answers], REVISED)
        for answer in answers:
            check_value(answer.value, one)
        tasks = _tasks(session, queue, [answer.key for answer in answers])
    sent = [
        Given(
            answer.once,
            tasks[answer.key],
            answer.key,
            answer.value,
            look(answer.seconds),
            answer.age,
            answer.is_first,
            look(answer.more),
        )
        for answer in answers
        if answer.key in tasks
    ]
    outcome = dict.fromkeys([answer.once for answer in answers], GONE)
    if not sent:
        return outcome
    asked = asked_now(settings)
    kept = answering.send(label_studio(settings), expert.email, sent)
    outcome |= outcomes(kept)
    stored = [row for row in kept if not row.refused]
    first_looks = {one.once: one.lead_seconds for one in sent if one.more_seconds and one.is_first}
    if _store(settings, queue.id, expert, stored, first_looks, asked, revision):
        ingest.ask_to_learn(settings, name)
    return outcome


def outcomes(kept: Sequence[Kept]) -> dict[str, str]:
    """once -> what became of each answer that Label Studio was asked to store."""
    return {row.once: OUTCOMES.get(row.refused, GONE) for row in kept}


def look(seconds: float) -> float:
    """The seconds of a look as they are kept: from 0 to ``LONGEST_LOOK``."""
    return min(max(seconds, 0.0), LONGEST_LOOK)


def check_value(value: str, one: Attribute) -> None:
    """Raise DataError where ``value`` is no answer to the question."""
    if value not in {*one.classes, UNSURE, SKIP}:
        raise DataError(
            gettext(
                "%(value)s is not an answer to %(name)s. Expected one of %(expected)s. Load the page again.",
                value=repr(value[:80]), name=one.name, expected=", ".join([*one.classes, UNSURE, SKIP]),
            )
        )  # fmt: skip


def _tasks(session: Session, queue: Queue, keys: Sequence[str]) -> dict[str, int]:
    """Key -> Label Studio's id, of the queue's own tasks that still stand there and whose image is in the pool."""
    rows = select(Task.key, Task.label_studio_task).join(Asset, Asset.id == Task.asset_pk)
    here = (Task.queue_id == queue.id, Task.key.in_(keys), Task.label_studio_task.is_not(None))
    found = session.execute(rows.where(*here, Asset.removed_at.is_(None))).all()
    return {key: number for key, number in found if number is not None}


def _store(
    settings: Settings,
    queue_id: int,
    expert: Expert,
    kept: Sequence[Kept],
    first_looks: Mapping[str, float],
    asked: Asked,
    revision: int,
) -> bool:
    """Bring what Label Studio has stored into the records; whether it changes what a learner sees.

    ``first_looks``: once -> the seconds of the first look of an answer that was corrected before it was sent.
    """
    changed = False
    with writing(settings) as session:
        queue = session.get_one(Queue, queue_id)
        change.one_writer(session, queue.attribute_id)
        classes = revisions.every_class(session, queue.attribute_id)
        renamed = uncounted.renamed(session.get_one(Attribute, queue.attribute_id))
        for row in kept:
            people = {int(row.annotation["completed_by"]): expert.email}
            try:
                seen = annotation_values.read(row.annotation, row.task, row.data, classes, renamed, people)
            except UnknownAnnotationShape:
                continue  # the next sync reads it again, and names it where it cannot
            seen = replace(seen, first_seconds=first_looks.get(row.once))
            changed |= ingest.store(session, queue, seen, asked, revision)
    return changed
