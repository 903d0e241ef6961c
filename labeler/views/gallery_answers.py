"""What experts said of the images of a gallery: counts by class, audits among them and never apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting
from attune.labeler.records.schema import Attribute
from attune.models.labels.answers import UNSURE

Sides = Mapping[int, Mapping[str, int]]  # Asset.id -> answer -> how many experts


def sides(session: Session, attribute: Attribute) -> Sides:
    """Every image with an answer; its answers in the order of the classes, unsure last."""
    answer = counting.answers([attribute.id])
    rows = session.execute(
        select(answer.c.asset_pk, answer.c.value, func.count()).group_by(answer.c.asset_pk, answer.c.value)
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for key, value, count in rows:
        found[key][value] = count
    order = [*attribute.classes, UNSURE]
    return {key: {value: given[value] for value in order if value in given} for key, given in found.items()}
