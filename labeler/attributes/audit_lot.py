"""Which titles an attribute reserves for audits, drawn again by today's key: only where no audit was answered yet.

An attribute of an older release reserves titles by a seed that someone who answers may work out. Its metrics hang on
them from the first audit answer on, and a published version has learned from the others.
"""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from attune.labeler.answers import change, ingest
from attune.labeler.attributes import attributes, audit_batches
from attune.labeler.records.schema import Annotation, Attribute, Queue, Run, Task, Version
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.labels.answers import AUDIT


def redraw(settings: Settings, name: str) -> bool:
    """Reserve other titles for the audits of ``name``, by the workspace's key; False where they are by it already.

    A learning round has to follow, and runs of before are judged by no audit. Raises UnknownAttribute, DataError where
    an audit was answered or a version is published.
    """
    with writing(settings) as session:
        attribute = attributes.find(session, name)
        session.refresh(attribute, with_for_update=True)
        fresh = attributes.audit_seed(settings)
        if attribute.settings["seed"] == fresh:
            return False
        audits = (Annotation.attribute_id == attribute.id, Annotation.purpose == AUDIT)
        answered = session.scalar(select(func.count()).select_from(Annotation).where(*audits)) or 0
        if answered:
            raise DataError(
                f"{name} has audit answers ({answered}), and its metrics depend on the titles they are about. To use "
                "other titles, create the attribute again under another name: `attune attribute create NAME`"
            )
        if session.scalar(select(Version.id).where(Version.attribute_id == attribute.id).limit(1)) is not None:
            raise DataError(
                f"{name} has published versions, which learned from titles that would be reserved now. To use other "
                "titles, create the attribute again under another name: `attune attribute create NAME`"
            )
        request = audit_batches.AuditRequest.of(attribute)
        last = session.scalar(select(func.max(Run.number)).where(Run.attribute_id == attribute.id)) or 0
        kept_request = audit_batches.AuditRequest(request.extra, request.experts).kept()
        attribute.settings = attribute.settings | {"seed": fresh, attributes.REDRAWN: last} | kept_request
        attribute.audit_state = None
        _ask_plainly(session, attribute)
        change.count(session, attribute.id)
    ingest.ask_to_learn(settings, name)
    return True


def _ask_plainly(session: Session, attribute: Attribute) -> None:
    """Let the audits that wait be questions like others: the new draw knows nothing of them."""
    queues = select(Queue.id).where(Queue.attribute_id == attribute.id)
    waiting = update(Task).where(Task.queue_id.in_(queues), Task.purpose == AUDIT, Task.state == "open")
    session.execute(waiting.values(purpose="spread", inclusion=None, due=None))
