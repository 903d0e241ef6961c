"""Ready-made vectors of a file, all at once; rows that cannot be used are named and left out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import UnreadableItem
from attune.models.vectors.products import FloatArray
from attune.models.vectors.vector_batches import HOW, VectorStream


@dataclass(frozen=True, eq=False)
class VectorFile:
    """The usable rows of a file: ``ids`` distinct, ``vectors`` (n, d) float32 of unit length, and what was left out.

    ``left_out`` are pairs of an id (or row number) and a reason; ``rescaled`` counts rows that had another length.
    """

    fingerprint: Fingerprint
    ids: list[str]
    vectors: FloatArray
    left_out: list[tuple[str, str]]
    rescaled: int


def read_vectors(path: Path, fingerprint: Fingerprint | None = None) -> VectorFile:
    """Read ``path`` as vectors of the encoder ``fingerprint``; without one, of that which the file itself names.

    Where neither says it, it is ``external:<sha256 of the file>``. Raises UnreadableItem where the file as a whole
    cannot be used, EncoderMismatch where the two say different things.
    """
    stream = VectorStream(path, most_named=sys.maxsize, expected=fingerprint.dimension if fingerprint else 0)
    if fingerprint is not None and stream.fingerprint is not None:
        own = stream.fingerprint
        own.require(fingerprint, f"The file {path.name}", "Leave out --fingerprint: the file names its encoder.")
    used_fingerprint = stream.fingerprint or fingerprint or Fingerprint.external(path, stream.width)
    if used_fingerprint.dimension != stream.width:
        raise UnreadableItem(
            f"The vectors {path.name} cannot be used: the file has {stream.width} numbers per vector, but the "
            f"fingerprint says {used_fingerprint.dimension}. {HOW}",
            "bad vectors",
        )
    ids: list[str] = []
    blocks: list[FloatArray] = []
    for batch in stream:
        ids += batch.ids.to_pylist()
        blocks.append(batch.vectors)
    left_out = [(left_out_row.name, left_out_row.reason) for left_out_row in stream.tally.named]
    vectors = np.concatenate(blocks)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return VectorFile(used_fingerprint, ids, vectors, left_out, stream.tally.rescaled)
