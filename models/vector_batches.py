"""Vectors of a file in batches of bounded memory: `.npz`, Parquet, Arrow files and streams."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import UnreadableItem
from models.fingerprint import Fingerprint
from models.reasons import reason
from models.vector_files import HOW, ID_NAMES, VECTOR_NAMES
from models.vectors import METADATA

ROWS = 8192
TITLE_NAMES = ("title_id", "title_ids")
UNIT_TOLERANCE = 1e-2


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a file: ``ids`` and ``titles`` Arrow strings (n,), ``vectors`` float32 (n, d) of unit length."""

    ids: pa.Array
    titles: pa.Array
    vectors: npt.NDArray[np.float32]


@dataclass
class Tally:
    """What became of the rows: ``used``, of them ``rescaled`` to unit length, and how many ``left_out`` by reason."""

    used: int = 0
    rescaled: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


class VectorStream:
    """The vectors in ``path``, read as they are iterated over and never held at once.

    ``fingerprint`` is the one the file carries (Arrow and Parquet written by Attune do), or None; ``total`` the number
    of rows. Raises UnreadableItem where the file cannot be used.
    """

    def __init__(self, path: Path, rows: int = ROWS) -> None:
        self.path, self.rows, self.tally = path, rows, Tally()
        self.fingerprint: Fingerprint | None = None
        self.total = 0
        self._pieces = self._guarded(self._open())
        # The first piece is read now, so that a file that cannot be used is refused before anything is written.
        self._first = next(self._pieces, None)
        if self._first is None:
            raise self._bad("holds no vectors")
        self._width = int(self._first.vectors.shape[1])

    def identity(self) -> Fingerprint:
        """The file's own fingerprint, or ``external:<sha256 of the file>`` where it carries none."""
        return self.fingerprint or Fingerprint.external(self.path, self._width)

    def __iter__(self) -> Iterator[Batch]:
        first, self._first = self._first, None
        if first is not None and (kept := self._kept(first)) is not None:
            yield kept
        for piece in self._pieces:
            if (kept := self._kept(piece)) is not None:
                yield kept

    def _kept(self, piece: Batch) -> Batch | None:
        """The rows that can be scored: with an id, finite and not zero; counted in the tally."""
        norms = np.sqrt(np.einsum("ij,ij->i", piece.vectors, piece.vectors, dtype=np.float64))
        named = piece.ids.is_valid().to_numpy(zero_copy_only=False)
        finite = np.isfinite(norms)
        good = named & finite & (norms > 1e-8)
        if not good.all():
            for reason, bad in (
                ("no id", ~named),
                ("not finite", named & ~finite),
                ("all zeros", named & (norms <= 1e-8)),
            ):
                if bad.any():
                    self.tally.left_out[reason] = self.tally.left_out.get(reason, 0) + int(bad.sum())
            mask = pa.array(good)
            piece = Batch(piece.ids.filter(mask), piece.titles.filter(mask), piece.vectors[good])
            norms = norms[good]
        vectors = piece.vectors
        off = np.abs(norms - 1) > UNIT_TOLERANCE
        if off.any():
            vectors = np.where(off[:, None], vectors / norms[:, None], vectors).astype(np.float32)
        self.tally.used += len(vectors)
        self.tally.rescaled += int(off.sum())
        return Batch(piece.ids, piece.titles, vectors) if len(vectors) else None

    # -- formats ---------------------------------------------------------------------------------------------------
    def _guarded(self, pieces: Iterator[Batch]) -> Iterator[Batch]:
        try:
            yield from pieces
        except UnreadableItem:
            raise
        except _Unfit as error:
            raise self._bad(f"cannot be read ({error})") from error
        except (ValueError, OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile, pa.ArrowException) as error:
            raise self._bad("cannot be read: it is damaged or cut short") from error

    def _open(self) -> Iterator[Batch]:
        try:
            with self.path.open("rb") as file:
                head = file.read(6)
        except OSError as error:
            raise UnreadableItem(f"The vectors {self.path} cannot be read: {reason(error)}. Name a file.") from error
        if head.startswith(b"PK"):
            return self._npz()
        if head.startswith(b"PAR1"):
            return self._parquet()
        return self._arrow_file() if head == b"ARROW1" else self._arrow_stream()

    def _npz(self) -> Iterator[Batch]:
        with zipfile.ZipFile(self.path) as held:
            names = [name.removesuffix(".npy") for name in held.namelist()]
            if "fingerprint" in names:
                self.fingerprint = Fingerprint.from_dict(
                    json.loads(str(_Npy(held, "fingerprint").take(1).reshape(-1)[0]))
                )
            ids, vectors = _Npy(held, self._pick(names, ID_NAMES)), _Npy(held, self._pick(names, VECTOR_NAMES))
            titles = next((_Npy(held, name) for name in TITLE_NAMES if name in names), None)
            if len(vectors.shape) != 2 or ids.shape != vectors.shape[:1]:
                raise self._bad(f"has ids of shape {ids.shape} and vectors of shape {vectors.shape}")
            if vectors.dtype.kind not in "fiu" or ids.dtype.kind not in "USiu":
                raise self._bad(f"has ids of type {ids.dtype} and vectors of type {vectors.dtype}")
            self.total = int(vectors.shape[0])
            for start in range(0, self.total, self.rows):
                count = min(self.rows, self.total - start)
                yield Batch(
                    _texts(ids.take(count)),
                    _texts(titles.take(count)) if titles else pa.nulls(count, pa.string()),
                    vectors.take(count).astype(np.float32),
                )

    def _parquet(self) -> Iterator[Batch]:
        # Page by page rather than a column chunk at once: a file may have one row group of all its rows.
        with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=2**20) as file:
            self.total = file.metadata.num_rows
            yield from self._tables(
                file.schema_arrow, lambda columns: file.iter_batches(self.rows, columns=columns, use_threads=False)
            )

    def _arrow_file(self) -> Iterator[Batch]:
        with pa.memory_map(str(self.path)) as mapped, pa.ipc.open_file(mapped) as file:
            batches = [file.get_batch(place) for place in range(file.num_record_batches)]
            self.total = sum(batch.num_rows for batch in batches)
            yield from self._tables(file.schema, lambda columns: (batch.select(columns) for batch in batches))

    def _arrow_stream(self) -> Iterator[Batch]:
        with pa.memory_map(str(self.path)) as mapped, pa.ipc.open_stream(mapped) as stream:
            yield from self._tables(stream.schema, lambda columns: (batch.select(columns) for batch in stream))

    def _tables(self, schema: pa.Schema, batches: Any) -> Iterator[Batch]:
        names = schema.names
        columns = [self._pick(names, ID_NAMES), self._pick(names, VECTOR_NAMES)]
        columns += [name for name in TITLE_NAMES if name in names][:1]
        carried = (schema.metadata or {}).get(METADATA)
        if carried:
            self.fingerprint = Fingerprint.from_dict(json.loads(carried))
        for large in batches(columns):
            for start in range(0, large.num_rows, self.rows):
                batch = large.slice(start, self.rows)
                titles = batch.column(2).cast(pa.string()) if len(columns) > 2 else pa.nulls(len(batch), pa.string())
                yield Batch(batch.column(0).cast(pa.string()), titles, self._matrix(batch.column(1)))

    def _matrix(self, column: pa.Array) -> npt.NDArray[np.float32]:
        kind = column.type
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
            raise self._bad(f"has vectors of type {kind}")
        if column.null_count:
            raise self._bad("has rows without a vector")
        values = column.flatten().to_numpy(zero_copy_only=False)
        width, rest = divmod(len(values), len(column))
        if not pa.types.is_fixed_size_list(kind):
            lengths = column.value_lengths().to_numpy(zero_copy_only=False)
            rest = rest or int((lengths != width).any())
        if rest or not width or values.dtype.kind not in "fiu":
            raise self._bad("has vectors of several lengths, of none, or not of numbers")
        return np.asarray(values.reshape(len(column), width), dtype=np.float32)

    def _pick(self, names: list[str], wanted: tuple[str, ...]) -> str:
        for name in wanted:
            if name in names:
                return name
        raise self._bad(f"has no {wanted[0]}; it has {', '.join(names) or 'nothing'}")

    def _bad(self, what: str) -> UnreadableItem:
        return UnreadableItem(f"The vectors {self.path.name} cannot be used: the file {what}. {HOW}")


class _Unfit(ValueError):
    """An array of an .npz that cannot be read in parts; its text is ours, for people."""


class _Npy:
    """One array of an ``.npz``, read from front to back; nothing that is pickled is ever opened."""

    def __init__(self, held: zipfile.ZipFile, name: str) -> None:
        self._file = held.open(name + ".npy")
        version = np.lib.format.read_magic(self._file)  # type: ignore[no-untyped-call]
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        self.shape, fortran, self.dtype = read(self._file)  # type: ignore[no-untyped-call]
        if self.dtype.hasobject:
            raise _Unfit("it holds pickled objects, which are never opened")
        if fortran and len(self.shape) > 1:
            raise _Unfit(f"{name} is stored column by column; save numpy.ascontiguousarray of it")
        self._row = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    def take(self, count: int) -> npt.NDArray[Any]:
        """The next ``count`` rows. Raises EOFError where the file ends before."""
        content = self._file.read(count * self._row)
        if len(content) != count * self._row:
            raise EOFError(f"it ends {count * self._row - len(content)} bytes too early")
        return np.frombuffer(content, dtype=self.dtype).reshape(count, *self.shape[1:])


def _texts(values: npt.NDArray[Any]) -> pa.Array:
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    return pa.array(values.astype(np.str_).tolist(), pa.string())
