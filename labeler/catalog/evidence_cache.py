"""Evidence kept available: a page, its form and the gate behind it ask for the same figures within a minute."""

from __future__ import annotations

import threading

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_encoder
from attune.labeler.attributes import attributes
from attune.labeler.catalog.audit_evidence import Evidence, collect, paired
from attune.labeler.records.schema import Annotation, AnnotationEvent, Asset, Attribute, AttributeRevision, Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.evaluation.metrics import Metric
from attune.models.files.atomic import digest_bytes, digest_json

KEPT = 4  # attributes whose evidence a process keeps
_lock = threading.Lock()
_kept: dict[str, Evidence] = {}


def gather(settings: Settings, attribute: str) -> Evidence:
    """The evidence of today, with what was worked out from it, as long as nothing changes that it is made of.

    Raises UnknownAttribute.
    """
    with reading(settings) as session:
        stamp = _stamp(settings, session, attributes.find(session, attribute))
    with _lock:
        cached = _kept.get(stamp)
    if cached is None:
        cached = collect(settings, attribute)
        with _lock:
            _kept[stamp] = cached
            while len(_kept) > KEPT:
                _kept.pop(next(iter(_kept)))
    return cached


def difference(settings: Settings, attribute: str, a: Run, b: Run) -> Metric:
    """Average precision of run ``a`` minus that of ``b`` on all audit answers of today, or the reason why it is not
    known. Raises UnknownAttribute.
    """
    return paired(gather(settings, attribute), a, b)


def _stamp(settings: Settings, session: Session, attribute: Attribute) -> str:
    """Of all that evidence is made of: answers, audit design, revisions, runs, settings, encoder, pool."""
    counts = (func.count(), func.count(Annotation.deleted_at), func.max(Annotation.received_at))
    queries = (
        select(*counts, func.max(Annotation.updated_at)).where(Annotation.attribute_id == attribute.id),
        select(func.count(), func.max(Asset.id), func.count(Asset.removed_at)),
        select(func.count()).where(AttributeRevision.attribute_id == attribute.id),
        select(func.count(), func.max(AnnotationEvent.id))
        .join(Annotation, Annotation.id == AnnotationEvent.annotation_id)
        .where(Annotation.attribute_id == attribute.id),
        select(func.max(Run.number)).where(Run.attribute_id == attribute.id),
    )
    encoder = active_encoder(session)
    files = [path for path in sorted(settings.vectors.rglob("*")) if path.is_file()]
    parts = [
        settings.records_url,
        [attribute.id, attribute.revision, attribute.classes, attribute.answers_counter],
        {key: value for key, value in attribute.settings.items() if key not in ("gates", "views", "chosen_first")},
        digest_bytes(attribute.audit_state or b""),
        encoder.digest if encoder else None,
        [[path.name, path.stat().st_size] for path in files],
        [[str(part) for part in session.execute(query).one()] for query in queries],
    ]
    return digest_json(parts)
