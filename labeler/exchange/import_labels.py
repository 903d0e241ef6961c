"""Import a labelled set: read it, say what it would do, and do it in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from attune.labeler.answers import ingest
from attune.labeler.attributes import attributes
from attune.labeler.exchange.import_files import Columns, ImportedRow, read
from attune.labeler.exchange.import_plan import SAME, Plan, Step, make
from attune.labeler.people import experts, owner_rights
from attune.labeler.records.schema import Annotation, AnnotationEvent, Attribute, Expert, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.labels.answers import IMPORT

VIA = "import"


def preview(
    settings: Settings, name: str, content: bytes, columns: Columns | None = None, create_experts: bool = False
) -> Plan:
    """What importing the file ``content`` into the attribute would do. Raises UnknownAttribute, DataError."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        rows = _read(session, one, content, columns)
        return make(session, one, rows, create_experts, experts.administrators(settings, session))


def import_labels(
    settings: Settings,
    name: str,
    content: bytes,
    columns: Columns | None = None,
    create_experts: bool = False,
    who: str = "",
    asked_by: int | None = None,
) -> Plan:
    """Import the file ``content`` into the attribute and ask for a learning round; what was done, by ``who``.

    All that can be used goes in, in one transaction, and the rest is told row by row. The same file again changes
    nothing. Raises UnknownAttribute, DataError where the file as a whole cannot be read, AccessError where the login
    ``asked_by`` is no longer an owner's.
    """
    with writing(settings) as session:
        owner_rights.check_owner(session, asked_by)
        attribute = attributes.find(session, name)
        session.refresh(attribute, with_for_update=True)  # one writer an attribute, as for answers of Label Studio
        rows = _read(session, attribute, content, columns)
        plan = make(session, attribute, rows, create_experts, experts.administrators(settings, session))
        changes = [step for step in plan.steps if step.action != SAME]
        _write(session, attribute, changes, _experts(session, plan), who)
        attribute.answers_counter += len(changes)
    if changes:
        ingest.ask_to_learn(settings, name)
    return plan


def _read(session: Session, attribute: Attribute, content: bytes, columns: Columns | None) -> list[ImportedRow]:
    users: dict[int, str] = {
        user or 0: email
        for user, email in session.execute(
            select(Expert.label_studio_user, Expert.email).where(Expert.label_studio_user.is_not(None))
        )
    }
    mine = select(Task.key).join(Queue, Queue.id == Task.queue_id).where(Queue.attribute_id == attribute.id)
    people = dict.fromkeys(session.scalars(mine), users)
    return read(content, columns or Columns(), attribute.classes, people)


def _experts(session: Session, plan: Plan) -> dict[str, int]:
    """Address -> id; newcomers are recorded like people who have left: a name on answers, no login and no queue."""
    at = now()
    session.add_all(
        Expert(email=email, name=email.partition("@")[0], every_attribute=False, added_at=at, removed_at=at)
        for email in plan.newcomers
    )
    session.flush()
    return dict(session.execute(select(Expert.email, Expert.id)).all())


def _write(session: Session, attribute: Attribute, steps: list[Step], ids: dict[str, int], who: str) -> None:
    at = now()
    fresh = [step for step in steps if not step.replaces]
    created: list[int] = []
    if fresh:
        rows = [_annotation(attribute, step, ids[step.expert], at) for step in fresh]
        created = list(session.scalars(insert(Annotation).returning(Annotation.id, sort_by_parameter_order=True), rows))
    events = [_event(key, "created", step, at, who) for key, step in zip(created, fresh, strict=True)]
    for step in steps:
        if step.replaces:
            row = session.get_one(Annotation, step.replaces)
            row.value, row.updated_at, row.revision = step.value, step.updated_at, attribute.revision
            events.append(_event(row.id, "changed", step, at, who))
    if events:
        session.execute(insert(AnnotationEvent), events)


def _event(annotation: int, kind: str, step: Step, at: datetime, who: str) -> dict[str, Any]:
    return {
        "annotation_id": annotation,
        "kind": kind,
        "value": step.value,
        "updated_at": step.updated_at,
        "via": VIA,
        "received_at": at,
        "who": who,
    }


def _annotation(attribute: Attribute, step: Step, expert: int, at: datetime) -> dict[str, Any]:
    return {
        "attribute_id": attribute.id,
        "revision": attribute.revision,
        "asset_pk": step.asset.id,
        "expert_id": expert,
        "value": step.value,
        "purpose": IMPORT,
        "answered_at": step.answered_at,
        "updated_at": step.updated_at,
        "received_at": at,
    }
