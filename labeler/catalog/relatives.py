"""The published probes that a new attribute leans on: the champions of the others, made with the same encoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from labeler.records.schema import Alias, Attribute, Run, Version
from models.manifest import CHAMPION
from models.probe_files import read_probe


@dataclass(frozen=True, eq=False)
class Relative:
    """A champion by its reference, NAME@VERSION, with its heads (k, d) float32."""

    reference: str
    heads: npt.NDArray[np.float32]


def relatives(session: Session, attribute_id: int, encoder_digest: str) -> tuple[Relative, ...]:
    """Every champion of another attribute that was made with this encoder, by name.

    The attribute's own is none: it learned from the very answers that the next probe learns from.
    """
    rows = session.execute(
        select(Attribute.name, Version.version, Run.probe)
        .join(Alias, Alias.attribute_id == Attribute.id)
        .join(Version, (Version.attribute_id == Attribute.id) & (Version.version == Alias.version))
        .join(Run, Run.id == Version.run_id)
        .where(
            Alias.alias == CHAMPION,
            Attribute.id != attribute_id,
            Attribute.retired_at.is_(None),
            Version.retired_at.is_(None),
            Run.encoder_digest == encoder_digest,
        )
        .order_by(Attribute.name)
    )
    return tuple(Relative(f"{name}@{version}", read_probe(probe).weight) for name, version, probe in rows)
