"""What of the suspected label errors an expert may read: nothing that tells what others said, nor which are audits."""

from __future__ import annotations

import hmac

from sqlalchemy import CTE, ColumnElement, and_, select
from sqlalchemy.orm import Session

from attune.labeler.people.viewer import LEFT_ALONE, Viewer, may_compare
from attune.labeler.records.schema import Annotation, ToldLabelError
from attune.labeler.settings import Settings, secrets
from attune.models.clock import now


def visible(
    session: Session, settings: Settings, viewer: Viewer, attribute_id: int, answer: CTE
) -> ColumnElement[bool]:
    """The condition on ``ToldLabelError``, ``Asset`` and ``answer`` (`counting.current`) for an expert to read it.

    The own answer was left alone for a day: until then a correction still counts as a first answer. An answer may be
    listed only because others gave another, so the viewer must be free to compare: that leaves out what the expert
    chose, too. Of twenty of one title, all answered wrongly, none would be listed where the title is reserved. And of
    all rows a random half: audits are never listed, so that whatever is missing would else be one.
    """
    left = now() - LEFT_ALONE
    own = select(Annotation.asset_pk).join(ToldLabelError, ToldLabelError.annotation_id == Annotation.id)
    return and_(
        answer.c.expert_id == (viewer.expert_id or 0),
        answer.c.answered_at < left,
        answer.c.updated_at < left,
        may_compare(viewer, attribute_id, own.where(*_mine(viewer, attribute_id))),
        ToldLabelError.annotation_id.in_(_half(session, settings, viewer, attribute_id)),
    )


def _half(session: Session, settings: Settings, viewer: Viewer, attribute_id: int) -> list[int]:
    """The ids of the viewer's listed annotations that are shown; at most as many as a list holds."""
    listed = (
        select(ToldLabelError.annotation_id)
        .join(Annotation, Annotation.id == ToldLabelError.annotation_id)
        .where(*_mine(viewer, attribute_id))
    )
    # Not the attribute's seed: an older one is short, and who sees the half could find it by trying.
    key = secrets.load(settings.secrets).audit_key
    return [one for one in session.scalars(listed) if is_shown(key, one)]


def _mine(viewer: Viewer, attribute_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ToldLabelError.attribute_id == attribute_id, Annotation.expert_id == (viewer.expert_id or 0)


def is_shown(key: str, annotation_id: int) -> bool:
    """Whether the annotation is in the half that its expert may read: by a keyed hash, so the same each time."""
    return in_half(key, f"label-error:{annotation_id}")


def in_half(key: str, what: str) -> bool:
    """Whether ``what`` is in the random half that the secret ``key`` draws: the same each time."""
    return hmac.digest(key.encode(), what.encode(), "sha256")[0] % 2 == 0
