"""The answers of an attribute as the science takes them: what a round learns from, and what a review judges by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers.counting import current
from attune.labeler.records.schema import Annotation, Asset, Expert
from attune.models.labels.answers import Answer


def as_answers(session: Session, attribute_id: int, asset_ids: Sequence[str] | None = None) -> list[tuple[Answer, int]]:
    """Each answer that holds, skips among them, with its expert's id; in the order in which they were given.

    ``asset_ids``: of these assets, or of all. ``answered_at`` is when it was changed last. Columns, not objects: those
    take a second more for 40,000 answers.
    """
    named = None if asset_ids is None else select(Asset.id).where(Asset.asset_id.in_(asset_ids))
    newest = current([attribute_id], assets=named)
    rows: Any = session.execute(
        select(
            Asset.asset_id, Asset.title_id, Expert.email, Annotation.value, Annotation.purpose, Annotation.updated_at,
            Annotation.inclusion, Annotation.expert_id,
        )
        .join(newest, newest.c.id == Annotation.id)
        .join(Asset, Asset.id == Annotation.asset_pk)
        .join(Expert, Expert.id == Annotation.expert_id)
        .order_by(Annotation.answered_at, Annotation.id)
    )  # fmt: skip
    return [(Answer(*row[:7]), row[7]) for row in rows]
