"""Change an attribute: a new revision that says which answers still hold, and everything that follows from it.

The answers are read anew in place, each with a line in its history: what a revision ends is marked as deleted and never
lost. The champion goes on being served; Label Studio's projects and the next probe follow as jobs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, insert, select, update
from sqlalchemy.orm import Session

from attune.labeler.answers import counting, ingest
from attune.labeler.attributes import attributes, revisions, shown_revision
from attune.labeler.attributes.attributes import Definition
from attune.labeler.attributes.revisions import ALL, LAPSED, REVISED, Reading
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.label_studio import projects
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.projects import Project
from attune.labeler.queues import grids, queues
from attune.labeler.records.schema import (
    Annotation,
    AnnotationEvent,
    Attribute,
    AttributeRevision,
    Expert,
    Grid,
    GridPage,
    Task,
)
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AlreadyThere, DataError, LabelStudioRefused, ServiceDown
from attune.models.labels.answers import UNSURE

CHUNK = 500


@dataclass(frozen=True)
class Effect:
    """What a revision does to the answers that count: ``kept`` as they are, ``renamed`` and ``ended`` by old value."""

    kept: int
    renamed: Mapping[str, tuple[str, int]]
    ended: Mapping[str, int]


@dataclass(frozen=True)
class Revised:
    """A revision that was made: its number, the fields that changed, and what became of the answers."""

    attribute: str
    revision: int
    changed: tuple[str, ...]
    effect: Effect


def definition_of(attribute: Attribute) -> Definition:
    """The attribute as it stands, to be changed in parts with ``dataclasses.replace``."""
    return Definition(name=attribute.name, **revisions.content_of(attribute))


def preview(
    settings: Settings,
    wanted: Definition,
    into: Mapping[str, str] | None = None,
    hold: str | Collection[str] = ALL,
) -> tuple[tuple[str, ...], Effect]:
    """The fields that would change, and what would become of the answers. Raises UnknownAttribute, DataError."""
    with reading(settings) as session:
        found = attributes.find(session, wanted.name)
        return changes(found, wanted), effect(session, found.id, _reading(found, wanted, into, hold))


def revise(
    settings: Settings,
    wanted: Definition,
    reason: str,
    into: Mapping[str, str] | None = None,
    hold: str | Collection[str] = ALL,
    seen: int | None = None,
) -> Revised:
    """Make ``wanted`` the attribute's newest revision; ``into`` and ``hold`` as in ``revisions.reading``.

    ``seen`` is the revision that the change was made on. Raises UnknownAttribute, DataError for an empty reason, where
    nothing changes or a class is not there, and AlreadyThere where somebody else made a revision meanwhile.
    """
    if not reason.strip():
        raise DataError("reason: it is empty. Say in one sentence why the question changes. The history keeps it.")
    with writing(settings) as session:
        found = attributes.find(session, wanted.name)
        session.refresh(found, with_for_update=True)
        if seen is not None and seen != found.revision:
            raise AlreadyThere(
                f"{found.name} is now at revision {found.revision}, but your change is based on revision "
                f"{seen}. Nothing was changed. See what is new (`attune attribute revisions {found.name}`), then "
                "make your change again."
            )
        changed = changes(found, wanted)
        if not changed:
            raise DataError(f"{found.name} already has these values. Nothing was changed.")
        held = _reading(found, wanted, into, hold)
        done = effect(session, found.id, held)
        _complete(session, found)
        shown_revision.begin(session, found)
        _write(found, wanted)
        _append(session, found, reason, held)
        _read_anew(session, found.id, held)
        carried = jobs.record(session, "configure", attribute=found.name)
    with suppress(ServiceDown):  # recorded as failed, and sent again once Redis is back
        jobs.hand_over(settings, carried, "configure")
    ingest.ask_to_learn(settings, wanted.name)
    return Revised(wanted.name, found.revision, changed, done)


def changes(attribute: Attribute, wanted: Definition) -> tuple[str, ...]:
    """The fields in which ``wanted`` says something else."""
    before, after = revisions.content_of(attribute), _content(wanted)
    return tuple(key for key in revisions.FIELDS if before[key] != after[key])


def effect(session: Session, attribute_id: int, held: Reading) -> Effect:
    """What a reading does to the answers that count now; skips are not counted."""
    counted = Counter(counting.by_value(session, attribute_id))
    touched = {value: number for value, number in counted.items() if value in held}
    renamed = {value: (new, n) for value, n in touched.items() if (new := held[value]) is not None}
    ended = {value: number for value, number in touched.items() if held[value] is None}
    return Effect(counted.total() - sum(touched.values()), renamed, ended)


def configure(settings: Settings, report: Report, name: str) -> dict[str, Any]:
    """Bring every open queue's project to the attribute's question, classes and instruction, in place; repeatable.

    Of two at once, for two revisions, whichever writes last has found the newer: each looks again at its end. A queue
    whose project Label Studio refuses to change holds up no other one; until it is changed, its answers are read as
    answers to the question of before. Raises UnknownAttribute, LabelStudioUnreachable,
    and LabelStudioRefused at the end, naming whose queues kept the question of before.
    """
    told, refused = 0, dict[int, LabelStudioRefused]()
    with LabelStudio.connect(settings) as ls:
        while told != (found := _as_it_is(settings, name)).revision:
            mine = queues.ensure(settings, ls, name, [])
            for number, queue in enumerate(mine):
                report(number, len(mine))
                project = Project(queue.project, queue.view, queue.webhook)
                try:
                    projects.update(ls, project, found.question, found.classes, attributes.instruction(found))
                    with writing(settings) as session:
                        shown_revision.note(session, queue.id, found.revision)
                    refused.pop(queue.expert_id, None)
                except LabelStudioRefused as error:
                    refused[queue.expert_id] = error
            _take_pages_back(settings, ls, found)
            told = found.revision
    if refused:
        raise _kept_the_old_question(settings, name, told, refused)
    return {"attribute": name, "revision": told, "queues": len(mine)}


def _kept_the_old_question(
    settings: Settings, name: str, revision: int, refused: Mapping[int, LabelStudioRefused]
) -> LabelStudioRefused:
    with reading(settings) as session:
        whose = session.scalars(select(Expert.email).where(Expert.id.in_(refused)).order_by(Expert.email)).all()
    first = next(iter(refused.values()))
    return LabelStudioRefused(
        f"{name} is at revision {revision}, but the queue of {', '.join(whose)} still asks the question of before: "
        "Label Studio refused the change there. The other queues have the new question. An answer in that queue may "
        "have a form that no page makes. Delete it in Label Studio; Attune then tries again. Label Studio's reason: "
        f"{first}",
        first.status,
    )


def _take_pages_back(settings: Settings, ls: LabelStudio, found: Attribute) -> None:
    """What waits on pages of images still asks the question of before."""
    newest = select(AttributeRevision.created_at).where(
        AttributeRevision.attribute_id == found.id, AttributeRevision.revision == found.revision
    )
    with reading(settings) as session:
        at = session.scalars(newest).one()
    grids.take_back(settings, ls, Grid.attribute_id == found.id, GridPage.created_at < at)


def _as_it_is(settings: Settings, name: str) -> Attribute:
    with reading(settings) as session:
        return attributes.find(session, name)


def note_encoder(session: Session, before: str | None, after: str) -> list[str]:
    """Give every attribute a revision that says which encoder it is learned with now; all answers hold. Their names."""
    found = attributes.every(session)
    for attribute in found:
        _append(session, attribute, f"The encoder is now {after} (was {before or 'none'}).", {}, encoder=after)
    return [attribute.name for attribute in found]


def _reading(
    attribute: Attribute, wanted: Definition, into: Mapping[str, str] | None, hold: str | Collection[str]
) -> dict[str, str | None]:
    return revisions.reading(attribute.classes, wanted.classes, into, hold)


def _content(wanted: Definition) -> dict[str, Any]:
    texts = {key: list(getattr(wanted, key)) for key in ("classes", "in_scope", "out_of_scope", "positive", "negative")}
    phrases = {name: list(given) for name, given in wanted.class_prompts.items() if given}
    return texts | {
        "question": wanted.question.strip(),
        "definition": wanted.definition.strip(),
        "class_prompts": phrases,
    }


def _complete(session: Session, attribute: Attribute) -> None:
    """Let the revision that ends say all that it said, also where its row was written with less."""
    mine = (AttributeRevision.attribute_id == attribute.id, AttributeRevision.revision == attribute.revision)
    row = session.scalars(select(AttributeRevision).where(*mine)).one()
    row.content = revisions.content_of(attribute) | row.content


def _write(attribute: Attribute, wanted: Definition) -> None:
    content = _content(wanted)
    for key in ("question", "classes", "definition", "in_scope", "out_of_scope"):
        setattr(attribute, key, content[key])
    attribute.prompts = wanted.prompts


def _append(session: Session, attribute: Attribute, reason: str, held: Reading, **more: Any) -> None:
    attribute.revision += 1
    attribute.answers_counter += 1
    ended_all = {*attribute.classes, UNSURE} <= {value for value, new in held.items() if new is None}
    session.add(
        AttributeRevision(
            attribute_id=attribute.id,
            revision=attribute.revision,
            content=revisions.content_of(attribute) | {"reading": dict(held)} | more,
            reason=reason.strip(),
            answers_hold=not ended_all,
            created_at=now(),
        )
    )


def _read_anew(session: Session, attribute_id: int, held: Reading) -> None:
    """Apply a reading to the answers that count, each with its event; where one ended, the image may be asked again."""
    at = now()
    mine = (Annotation.attribute_id == attribute_id, Annotation.deleted_at.is_(None), Annotation.value.in_(held))
    rows = session.execute(select(Annotation.id, Annotation.value, Annotation.task_id).where(*mine)).all()
    renamed = {value: new for value, new in held.items() if new is not None}
    events = [
        {
            "annotation_id": key,
            "kind": REVISED if value in renamed else LAPSED,
            "value": renamed.get(value, value),
            "updated_at": at,
            "via": "revision",
            "received_at": at,
        }
        for key, value, _ in rows
    ]
    if events:
        session.execute(insert(AnnotationEvent), events)
    ended = update(Annotation).where(*mine, Annotation.value.not_in(renamed)).values(deleted_at=at)
    session.execute(ended.execution_options(synchronize_session=False))
    if renamed:
        one_by_one = case(renamed, value=Annotation.value)  # all at once, so that two classes may change their names
        again = update(Annotation).where(*mine, Annotation.value.in_(renamed)).values(value=one_by_one)
        session.execute(again.execution_options(synchronize_session=False))
    tasks = [task for _, value, task in rows if value not in renamed and task is not None]
    for start in range(0, len(tasks), CHUNK):
        some = update(Task).where(Task.id.in_(tasks[start : start + CHUNK]))
        session.execute(some.values(state="retired").execution_options(synchronize_session=False))
