"""Change an attribute: a new revision that says which answers still hold, and everything that follows from it.

The answers are read anew in place, each with a line in its history: what a revision ends is marked as deleted and never
lost. The champion continues being served; Label Studio's projects and the next probe follow as jobs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
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
    definition: Definition,
    into: Mapping[str, str] | None = None,
    kept_classes: str | Collection[str] = ALL,
) -> tuple[tuple[str, ...], Effect]:
    """The fields that would change, and what would become of the answers. Raises UnknownAttribute, DataError."""
    with reading(settings) as session:
        attribute = attributes.find(session, definition.name)
        return changes(attribute, definition), effect(
            session, attribute.id, _reading(attribute, definition, into, kept_classes)
        )


def revise(
    settings: Settings,
    definition: Definition,
    reason: str,
    into: Mapping[str, str] | None = None,
    kept_classes: str | Collection[str] = ALL,
    expected_revision: int | None = None,
    within: Callable[[Session, Attribute], None] | None = None,
) -> Revised:
    """Make ``definition`` the attribute's newest revision; ``into`` and ``kept_classes`` as in ``revisions.reading``.

    ``expected_revision``: the one that was changed. ``within``: writes more in the same transaction.

    Raises UnknownAttribute, DataError for an empty reason, where nothing changes or a class is not there, and
    AlreadyThere where someone else made a revision in the meantime.
    """
    if not reason.strip():
        raise DataError("reason: it is empty. Say in one sentence why the question changes. The history keeps it.")
    with writing(settings) as session:
        attribute = attributes.find(session, definition.name)
        session.refresh(attribute, with_for_update=True)
        if expected_revision is not None and expected_revision != attribute.revision:
            raise AlreadyThere(
                f"{attribute.name} is now at revision {attribute.revision}, but your change is based on revision "
                f"{expected_revision}. Nothing was changed. See what is new (`attune attribute revisions "
                f"{attribute.name}`), then make your change again."
            )
        changed = changes(attribute, definition)
        if not changed:
            raise DataError(f"{attribute.name} already has these values. Nothing was changed.")
        mapping = _reading(attribute, definition, into, kept_classes)
        done = effect(session, attribute.id, mapping)
        _complete(session, attribute)
        shown_revision.begin(session, attribute)
        _write(attribute, definition)
        _append(session, attribute, reason, mapping)
        _apply_mapping(session, attribute.id, mapping)
        if within is not None:
            within(session, attribute)
        carried = jobs.record(session, "configure", attribute=attribute.name)
    with suppress(ServiceDown):  # recorded as failed, and sent again once Redis is back
        jobs.hand_over(settings, carried, "configure")
    ingest.ask_to_learn(settings, definition.name)
    return Revised(definition.name, attribute.revision, changed, done)


def changes(attribute: Attribute, definition: Definition) -> tuple[str, ...]:
    """The fields in which ``definition`` says something else."""
    before, after = revisions.content_of(attribute), _content(definition)
    return tuple(key for key in revisions.FIELDS if before[key] != after[key])


def effect(session: Session, attribute_id: int, mapping: Reading) -> Effect:
    """What a reading does to the answers that count now; skips are not counted."""
    counted = Counter(counting.by_value(session, attribute_id))
    touched = {value: number for value, number in counted.items() if value in mapping}
    renamed = {value: (new, n) for value, n in touched.items() if (new := mapping[value]) is not None}
    ended = {value: number for value, number in touched.items() if mapping[value] is None}
    return Effect(counted.total() - sum(touched.values()), renamed, ended)


def configure(settings: Settings, report: Report, name: str) -> dict[str, Any]:
    """Bring every open queue's project to the attribute's question, classes and instruction, in place; repeatable.

    Of two at once, for two revisions, whichever writes last has found the newer: each looks again at its end. A queue
    whose project Label Studio refuses to change holds up no other one; until it is changed, its answers are read as
    answers to the question of before. Raises UnknownAttribute, LabelStudioUnreachable,
    and LabelStudioRefused at the end, naming whose queues kept the question of before.
    """
    configured, refused = 0, dict[int, LabelStudioRefused]()
    with LabelStudio.connect(settings) as ls:
        while configured != (queue_facts := _read_attribute(settings, name)).revision:
            mine = queues.ensure(settings, ls, name, [])
            for number, queue in enumerate(mine):
                report(number, len(mine))
                project = Project(queue.project, queue.view, queue.webhook)
                try:
                    projects.update(
                        ls, project, queue_facts.question, queue_facts.classes, attributes.instruction(queue_facts)
                    )
                    with writing(settings) as session:
                        shown_revision.note(session, queue.id, queue_facts.revision)
                    refused.pop(queue.expert_id, None)
                except LabelStudioRefused as error:
                    refused[queue.expert_id] = error
            _retire_pages(settings, ls, queue_facts)
            configured = queue_facts.revision
    if refused:
        raise _kept_the_old_question(settings, name, configured, refused)
    return {"attribute": name, "revision": configured, "queues": len(mine)}


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


def _retire_pages(settings: Settings, ls: LabelStudio, attribute: Attribute) -> None:
    """What waits on pages of images still asks the question of before."""
    newest = select(AttributeRevision.created_at).where(
        AttributeRevision.attribute_id == attribute.id, AttributeRevision.revision == attribute.revision
    )
    with reading(settings) as session:
        at = session.scalars(newest).one()
    grids.retire_pages(settings, ls, Grid.attribute_id == attribute.id, GridPage.created_at < at)


def _read_attribute(settings: Settings, name: str) -> Attribute:
    with reading(settings) as session:
        return attributes.find(session, name)


def note_encoder(session: Session, before: str | None, after: str) -> list[str]:
    """Give every attribute a revision that says which encoder it is learned with now; all answers hold. Their names."""
    found = attributes.every(session)
    for attribute in found:
        _append(session, attribute, f"The encoder is now {after} (was {before or 'none'}).", {}, encoder=after)
    return [attribute.name for attribute in found]


def _reading(
    attribute: Attribute, definition: Definition, into: Mapping[str, str] | None, kept_classes: str | Collection[str]
) -> dict[str, str | None]:
    return revisions.reading(attribute.classes, definition.classes, into, kept_classes)


def _content(definition: Definition) -> dict[str, Any]:
    texts = {
        key: list(getattr(definition, key)) for key in ("classes", "in_scope", "out_of_scope", "positive", "negative")
    }
    phrases = {name: list(given) for name, given in definition.class_prompts.items() if given}
    return texts | {
        "question": definition.question.strip(),
        "definition": definition.definition.strip(),
        "class_prompts": phrases,
    }


def _complete(session: Session, attribute: Attribute) -> None:
    """Let the revision that ends say all that it said, also where its row was written with less."""
    mine = (AttributeRevision.attribute_id == attribute.id, AttributeRevision.revision == attribute.revision)
    row = session.scalars(select(AttributeRevision).where(*mine)).one()
    row.content = revisions.content_of(attribute) | row.content


def _write(attribute: Attribute, definition: Definition) -> None:
    content = _content(definition)
    for key in ("question", "classes", "definition", "in_scope", "out_of_scope"):
        setattr(attribute, key, content[key])
    attribute.prompts = definition.prompts


def _append(session: Session, attribute: Attribute, reason: str, mapping: Reading, **more: Any) -> None:
    attribute.revision += 1
    attribute.answers_counter += 1
    ended_all = {*attribute.classes, UNSURE} <= {value for value, new in mapping.items() if new is None}
    session.add(
        AttributeRevision(
            attribute_id=attribute.id,
            revision=attribute.revision,
            content=revisions.content_of(attribute) | {"reading": dict(mapping)} | more,
            reason=reason.strip(),
            answers_hold=not ended_all,
            created_at=now(),
        )
    )


def _apply_mapping(session: Session, attribute_id: int, mapping: Reading) -> None:
    """Apply a reading to the answers that count, each with its event; where one ended, the image may be asked again."""
    at = now()
    mine = (Annotation.attribute_id == attribute_id, Annotation.deleted_at.is_(None), Annotation.value.in_(mapping))
    rows = session.execute(select(Annotation.id, Annotation.value, Annotation.task_id).where(*mine)).all()
    renamed = {value: new for value, new in mapping.items() if new is not None}
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
