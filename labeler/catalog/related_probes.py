"""The published probes that a new attribute leans on: the champions of the others, made with the same encoder."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Alias, Attribute, Run, Version
from attune.models.catalog.manifest import CHAMPION, LEANS_ON
from attune.models.catalog.probe_files import read_probe
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import BadProbeFile
from attune.models.evaluation.audit_design import RESERVED_SHARE

log = logging.getLogger("attune.relatives")


@dataclass(frozen=True, eq=False)
class Relative:
    """A champion by its reference, NAME@VERSION, with its heads (k, d) float32."""

    reference: str
    heads: npt.NDArray[np.float32]


def relatives(session: Session, attribute: Attribute, encoder: Fingerprint) -> tuple[Relative, ...]:
    """Every champion of another attribute that was made with this encoder, by name.

    The attribute's own is none, nor is one that leaned on it, at however many removes: they hold the very answers that
    the next probe learns from, and a cross-fitted probe would know the titles that were kept from it. One that may have
    learned from titles that this attribute's audit measures is none either. One that cannot be read is left out with a
    warning: this attribute's answers are as good without it.
    """
    rows = session.execute(
        select(Attribute.name, Attribute.settings, Version.version, Run.probe)
        .join(Alias, Alias.attribute_id == Attribute.id)
        .join(Version, (Version.attribute_id == Attribute.id) & (Version.version == Alias.version))
        .join(Run, Run.id == Version.run_id)
        .where(
            Alias.alias == CHAMPION,
            Attribute.id != attribute.id,
            Attribute.retired_at.is_(None),
            Version.retired_at.is_(None),
            Run.encoder_digest == encoder.digest,
        )
        .order_by(Attribute.name)
    ).all()
    leaned = _related_by_reference(session) if rows else {}
    probes = (
        _read(f"{name}@{version}", probe, encoder.dimension)
        for name, manifest, version, probe in rows
        if _reserves_same_titles(manifest, attribute.settings)
        and not _draws_on(f"{name}@{version}", attribute.name, leaned)
    )
    return tuple(related for related in probes if related is not None)


def _reserves_same_titles(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Whether they never train on a title that we reserve: the same draw of titles, and at least as many kept."""
    splits = [(kept.get("seed", 0), float(kept.get("reserved_share", RESERVED_SHARE))) for kept in (theirs, ours)]
    return bool(splits[0][0] == splits[1][0] and splits[0][1] >= splits[1][1])


def _related_by_reference(session: Session) -> dict[str, Sequence[str]]:
    """What each published version leaned on itself, by reference."""
    rows = session.execute(
        select(Attribute.name, Version.version, Run.labels)
        .join(Version, Version.attribute_id == Attribute.id)
        .join(Run, Run.id == Version.run_id)
    )
    return {f"{name}@{version}": labels.get(LEANS_ON, ()) for name, version, labels in rows}


def _draws_on(reference: str, name: str, leaned: Mapping[str, Sequence[str]]) -> bool:
    """Whether ``reference`` leaned on a version of ``name``, itself or by way of others."""
    visited, waiting = set(), [reference]
    while waiting:
        one = waiting.pop()
        if one.rpartition("@")[0] == name:
            return True
        if one not in visited:
            visited.add(one)
            waiting.extend(leaned.get(one, ()))
    return False


def _read(reference: str, probe: bytes, dimension: int) -> Relative | None:
    try:
        weights = read_probe(probe, reference)
    except BadProbeFile as error:
        log.warning("%s is not used as a related probe: %s", reference, error)
        return None
    if weights.dimension != dimension:
        log.warning(
            "%s is not used as a related probe: it has %d dimensions and the pool's vectors have %d. Train and "
            "publish it again.",
            reference, weights.dimension, dimension,
        )  # fmt: skip
        return None
    return Relative(reference, weights.weight)
