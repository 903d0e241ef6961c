"""Ready-made vectors from `.npz`, Parquet or Arrow, checked row by row; what cannot be used is named and left out."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import UnreadableItem
from models.fingerprint import Fingerprint
from models.products import FloatArray
from models.reasons import reason

ID_NAMES = ("ids", "id", "asset_id")
VECTOR_NAMES = ("vectors", "vector", "embedding", "embeddings")
HOW = (
    "It must hold ids (n texts) and vectors (n rows of d numbers): an .npz with the arrays ids and vectors, or a "
    "Parquet, Arrow or Feather file with a column id and a list column vector."
)


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
    """Read ``path`` as vectors of the encoder ``fingerprint``; without one it is ``external:<sha256 of the file>``.

    Raises UnreadableItem where the file as a whole cannot be used.
    """
    ids, matrix = _load(path)
    if matrix.ndim != 2 or not matrix.shape[1] or len(matrix) != len(ids):
        raise _bad(path, f"has {len(ids)} ids and vectors of shape {matrix.shape}")
    if fingerprint is not None and fingerprint.dimension != matrix.shape[1]:
        raise _bad(path, f"has vectors of {matrix.shape[1]} entries, the fingerprint says {fingerprint.dimension}")
    made = fingerprint or Fingerprint.external(path, int(matrix.shape[1]))
    values = matrix.astype(np.float32)
    finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
    norms: FloatArray = np.linalg.norm(np.where(finite[:, None], values, 0), axis=1)
    counts = Counter(ids)
    keep, left_out, met = [], [], set()
    for row, id_ in enumerate(ids):
        if reason := _refusal(id_, bool(finite[row]), float(norms[row]), counts[id_], id_ in met):
            left_out.append((id_ or f"row {row}", reason))
        else:
            keep.append(row)
        met.add(id_)
    unit = values[keep] / norms[keep, None]
    rescaled = int((np.abs(norms[keep] - 1) > 1e-2).sum())
    return VectorFile(made, [ids[row] for row in keep], unit, left_out, rescaled)


def _refusal(id_: str, finite: bool, norm: float, count: int, met: bool) -> str:
    if not id_:
        return "has no id"
    if count > 1 and met:
        return f"is there {count} times; the first counts"
    if not finite:
        return "holds NaN or infinity"
    if norm < 1e-8:
        return "is all zeros"
    return ""


def _load(path: Path) -> tuple[list[str], npt.NDArray[Any]]:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise UnreadableItem(f"The vectors {path} cannot be read: {reason(error)}. Name a file.") from error
    try:
        if head.startswith(b"PK"):
            return _load_npz(path)
        if head.startswith(b"PAR1"):
            return _load_table(path, pq.read_table(path))
        if head.startswith(b"ARROW1"):
            return _load_table(path, pa.ipc.open_file(pa.memory_map(str(path))).read_all())
        if head.startswith(b"\xff\xff\xff\xff"):
            return _load_table(path, pa.ipc.open_stream(pa.memory_map(str(path))).read_all())
        raise _bad(path, "is neither .npz nor Parquet nor Arrow")
    except UnreadableItem:
        raise
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, pa.ArrowException) as error:
        pickled = "allow_pickle" in str(error)
        damaged = "cannot be read: it is damaged or cut short"
        raise _bad(path, "holds pickled objects, never opened" if pickled else damaged) from error


def _load_npz(path: Path) -> tuple[list[str], npt.NDArray[Any]]:
    # Opened here: of a damaged archive numpy leaves the file open that it opened itself.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
        ids = held[_pick(path, held.files, ID_NAMES)]
        vectors = held[_pick(path, held.files, VECTOR_NAMES)]
    if ids.ndim != 1 or ids.dtype.kind not in "USiu":
        raise _bad(path, f"has ids of shape {ids.shape} and type {ids.dtype}")
    if vectors.dtype.kind not in "fiu":
        raise _bad(path, f"has vectors of type {vectors.dtype}")
    return [id_.decode("utf-8") if isinstance(id_, bytes) else str(id_) for id_ in ids.tolist()], vectors


def _load_table(path: Path, table: pa.Table) -> tuple[list[str], npt.NDArray[Any]]:
    ids = table[_pick(path, table.column_names, ID_NAMES)].to_pylist()
    column = table[_pick(path, table.column_names, VECTOR_NAMES)].combine_chunks()
    lists = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    if not (lists or pa.types.is_fixed_size_list(column.type)):
        raise _bad(path, f"has vectors of type {column.type}")
    lengths = set(column.value_lengths().to_pylist()) if len(column) else {0}
    if len(lengths) > 1:
        shown = sorted(length for length in lengths if length is not None)[:5]
        raise _bad(path, f"has vectors of several lengths ({', '.join(map(str, shown))}) or missing ones")
    values = column.flatten().to_numpy(zero_copy_only=False)
    matrix = values.reshape(len(ids), -1) if len(ids) else np.empty((0, 0))
    return ["" if id_ is None else str(id_) for id_ in ids], matrix


def _pick(path: Path, names: list[str], wanted: tuple[str, ...]) -> str:
    for name in wanted:
        if name in names:
            return name
    raise _bad(path, f"has no {wanted[0]}; it has {', '.join(names) or 'nothing'}")


def _bad(path: Path, what: str) -> UnreadableItem:
    return UnreadableItem(f"The vectors {path.name} cannot be used: the file {what}. {HOW}", "bad vectors")
