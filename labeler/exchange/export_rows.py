"""What an attribute's export holds: one row an answer, or one row an asset with the agreed label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from attune.labeler.answers.counting import current, is_valid
from attune.labeler.attributes import attributes
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.evaluation.audit_design import reserved_mask
from attune.models.labels.answers import UNSURE, Answer
from attune.models.labels.labels import consensus


@dataclass(frozen=True)
class Row:
    """One expert's newest answer on one asset; ``inclusion`` in (0, 1] is an audit's, ``is_valid``: it still counts."""

    id: int
    asset_id: str
    title_id: str
    uri: str
    expert: str
    value: str
    purpose: str
    revision: int
    answered_at: datetime
    updated_at: datetime
    inclusion: float | None
    lead_seconds: float | None  # of all looks, as Label Studio's ``lead_time``
    holds: bool


@dataclass(frozen=True)
class Exported:
    """An attribute's answers, sorted by asset and expert."""

    name: str
    question: str
    classes: tuple[str, ...]
    revision: int
    rows: tuple[Row, ...]


def exported(settings: Settings, name: str) -> Exported:
    """Every expert's newest answer on every asset about the attribute ``name``, skips among them.

    Assets that were removed since are left out with their answers: nothing of them is shown any more. Raises
    UnknownAttribute.
    """
    with reading(settings) as session:
        one = attributes.find(session, name)
        return Exported(one.name, one.question, tuple(one.classes), one.revision, tuple(_rows(session, one)))


def _rows(session: Session, attribute: Attribute) -> list[Row]:
    # One that holds goes before one that holds no more, so that the export has every entry that is counted.
    there, counts = Annotation.deleted_at.is_(None), is_valid()
    newest = current([attribute.id], which=there, first=[case((counts, 1), else_=0)])
    found = session.execute(
        select(Annotation, Asset.asset_id, Asset.title_id, Asset.uri, Expert.email, counts.label("holds"))
        .join(newest, newest.c.id == Annotation.id)
        .join(Asset, Asset.id == Annotation.asset_pk)
        .join(Expert, Expert.id == Annotation.expert_id)
        .where(Asset.removed_at.is_(None))
    )
    rows = [
        Row(
            entry.id, asset_id, title_id, uri, email, entry.value, entry.purpose, entry.revision, entry.answered_at,
            entry.updated_at, entry.inclusion, _all_looks(entry), bool(counted),
        )
        for entry, asset_id, title_id, uri, email, counted in found
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.asset_id, row.expert))


def _all_looks(entry: Annotation) -> float | None:
    """Label Studio adds the seconds of each correction to those of the answer, and reads an import the same."""
    return entry.lead_seconds if entry.total_seconds is None else entry.total_seconds


def answer_rows(exported_rows: Exported) -> list[dict[str, Any]]:
    """The answers as flat rows, in the order and with the columns that a table has."""
    return [
        {
            "asset_id": row.asset_id,
            "title_id": row.title_id,
            "uri": row.uri,
            "expert": row.expert,
            "class": row.value,
            "purpose": row.purpose,
            "revision": row.revision,
            "answered_at": row.answered_at,
            "updated_at": row.updated_at,
            "inclusion": row.inclusion,
            "holds": row.holds,
        }
        for row in exported_rows.rows
    ]


def agreed_rows(settings: Settings, exported_rows: Exported) -> list[dict[str, Any]]:
    """One row an asset with the label that its answers agree on, every expert counting alike.

    ``label`` is None where no class leads alone; ``weight`` 1 is one sure answer; ``reserved`` marks the titles kept
    for audits, which no probe is trained on. Answers that hold no more, and skips, are left out.
    """
    counted = [row for row in exported_rows.rows if row.holds and row.value in {*exported_rows.classes, UNSURE}]
    answers = [
        Answer(row.asset_id, row.title_id, row.expert, row.value, row.purpose, row.updated_at, row.inclusion)
        for row in counted
    ]
    labels = consensus(answers, exported_rows.classes)
    decided, majority = labels.decided(), labels.majority()
    is_reserved = reserved_titles(settings, exported_rows.name, labels.title_ids)
    uris = {row.asset_id: row.uri for row in counted}
    many = Counter(row.asset_id for row in counted)
    return [
        {
            "asset_id": asset_id,
            "title_id": labels.title_ids[i],
            "uri": uris[asset_id],
            "label": exported_rows.classes[int(majority[i])] if decided[i] else None,
            "weight": float(labels.weights[i]),
            "answers": many[asset_id],
            "reserved": bool(is_reserved[i]),
            **{
                f"share {name}": float(share)
                for name, share in zip(exported_rows.classes, labels.shares[i], strict=True)
            },
        }
        for i, asset_id in enumerate(labels.asset_ids)
    ]


def reserved_titles(settings: Settings, name: str, titles: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which titles (n,) are kept for the attribute's audits, bool (n,). Raises UnknownAttribute."""
    with reading(settings) as session:
        kept = attributes.find(session, name).settings
    share = float(kept.get("reserved_share") or 0.0)
    return (
        reserved_mask(titles, int(kept.get("seed", 0)), share)
        if titles and share
        else np.zeros(len(titles), dtype=bool)
    )
