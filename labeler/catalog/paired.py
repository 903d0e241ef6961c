"""Two versions on the same audit answers: the paired difference of their average precision."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from labeler import attributes
from labeler.pool import open_pool
from labeler.records.schema import Annotation, Asset, Attribute, Expert, Run
from labeler.records.session import reading
from labeler.settings import Settings
from models.answers import AUDIT, Answer
from models.audit import AuditDesign
from models.errors import PoolError
from models.evaluation import compare
from models.labels import consensus
from models.metrics import Metric, unknown
from models.probe_files import read_probe

NAME, METHOD = "average_precision_difference", "paired title bootstrap"


def difference(settings: Settings, attribute: str, a: Run, b: Run) -> Metric:
    """Average precision of run ``a`` minus that of ``b`` on all audit answers of today, or the reason why it is not
    known. Raises UnknownAttribute.
    """
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        answers = _audit_answers(session, found)
        try:
            view = open_pool(settings, session)
        except PoolError as error:
            return unknown(NAME, 0, METHOD, str(error))
    if {a.encoder_digest, b.encoder_digest} != {view.fingerprint.digest}:
        return unknown(NAME, 0, METHOD, "one of the two was made with another encoder than the active one")
    if found.audit_state is None or not answers:
        return unknown(NAME, 0, METHOD, "there are no audit answers yet")
    labels = consensus(answers, found.classes)
    rows = view.pool.positions(labels.asset_ids)
    inclusion = AuditDesign.from_bytes(found.audit_state).inclusions(labels.asset_ids)
    kept = np.flatnonzero((rows >= 0) & (inclusion > 0))
    if not len(kept):
        return unknown(NAME, 0, METHOD, "none of the audited images is in the pool any more")
    x = view.pool.rows(rows[kept])
    first, second = (read_probe(run.probe).probabilities(x) for run in (a, b))
    seed = int(found.settings.get("seed", 0))
    return compare(labels.subset(kept), first, second, inclusion[kept], found.classes, seed=seed)


def _audit_answers(session: Session, attribute: Attribute) -> list[Answer]:
    rows = session.execute(
        select(Annotation, Asset.asset_id, Asset.title_id, Expert.email)
        .join(Asset, Asset.id == Annotation.asset_pk)
        .join(Expert, Expert.id == Annotation.expert_id)
        .where(Annotation.attribute_id == attribute.id, Annotation.deleted_at.is_(None), Annotation.purpose == AUDIT)
        .order_by(Annotation.answered_at, Annotation.id)
    )
    return [
        Answer(
            asset_id=asset_id,
            title_id=title_id,
            expert=expert,
            value=row.value,
            purpose=row.purpose,
            answered_at=row.updated_at,
            inclusion=row.inclusion,
        )
        for row, asset_id, title_id, expert in rows
    ]
