"""Vectors of a file in batches of bounded memory: `.npz`, Parquet, Arrow files and streams.

The one reader of vectors: `assets add --vectors` and `score` both read with it, so both leave out the same rows.
"""

from __future__ import annotations

import json
import zipfile
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, UnreadableItem
from attune.models.files import cell_ids
from attune.models.files.inputs import check_regular
from attune.models.reasons import reason
from attune.models.vectors import vector_rows
from attune.models.vectors.npy_arrays import NpyReader, as_arrow
from attune.models.vectors.vector_rows import Noted, Wrong
from attune.models.vectors.vector_shards import METADATA

ROWS = 8192
ID_NAMES = ("asset_id", "ids", "id")
VECTOR_NAMES = ("vectors", "vector", "embedding", "embeddings")
TITLE_NAMES = ("title_id", "title_ids")
UNIT_TOLERANCE = 1e-2
MOST_NAMED = 10_000  # rows left out that are named one by one; beyond it they are counted
HOW = (
    "Expected ids (n texts) and vectors (n rows of d numbers): an .npz file with the arrays ids and vectors, "
    "or a Parquet, Arrow or Feather file with a column id and a list column vector."
)


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a file: ``ids`` and ``titles`` Arrow strings (n,), ``vectors`` float32 (n, d) of unit length."""

    ids: pa.Array
    titles: pa.Array
    vectors: npt.NDArray[np.float32]


@dataclass(frozen=True)
class LeftOut:
    """A row that cannot be used: ``row`` counts from 1, ``id`` is empty where it has none; ``reason`` is a phrase."""

    row: int
    id: str
    reason: str

    @property
    def name(self) -> str:
        """What to call the row."""
        return self.id or f"row {self.row}"


@dataclass
class Tally:
    """What became of the rows: ``used``, of them ``rescaled`` to unit length, and how many ``left_out`` by reason.

    ``named`` are the rows left out, the first 10,000 unless the stream was asked for more.
    """

    used: int = 0
    rescaled: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    named: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Piece:
    """Rows as they were read: ``vectors`` (n, d) numbers, ``wrong`` the places of those that cannot be used."""

    start: int
    ids: pa.Array
    titles: pa.Array
    vectors: npt.NDArray[Any]
    wrong: dict[int, Wrong]


class VectorStream:
    """The vectors in ``path``, read as they are iterated over and never held at once.

    Each id comes once: of rows with the same id the first that can be used counts. ``fingerprint`` is the one the file
    carries (Arrow and Parquet written by Attune do), or None; ``total`` the number of rows, ``width`` the entries of a
    vector: ``expected`` where a row has that many, else as most rows have. Raises UnreadableItem where
    the file cannot be used, or no row of it.
    """

    def __init__(self, path: Path, rows: int = ROWS, most_named: int = MOST_NAMED, expected: int = 0) -> None:
        self.path, self.rows, self.most_named, self.tally = path, rows, most_named, Tally()
        self.fingerprint: Fingerprint | None = None
        self.total = 0
        self._columns = vector_rows.Columns(expected)
        self._seen = cell_ids.Seen()
        self._at = 0
        self._pieces = self._guarded(self._open())
        # Read until a vector shows its width, so that a file that cannot be used is refused before anything is written.
        self._waiting: deque[_Piece] = deque()
        for piece in self._pieces:
            self._waiting.append(piece)
            if self.width:
                break
        if not self._waiting:
            raise self._bad("has no vectors")
        if not self.width:
            for piece in self._waiting:
                self._kept(piece)
            raise self._none()

    @property
    def width(self) -> int:
        """How many entries a vector has."""
        return self._columns.width

    def identity(self) -> Fingerprint:
        """The file's own fingerprint, or ``external:<sha256 of the file>`` where it carries none."""
        return self.fingerprint or Fingerprint.external(self.path, self.width)

    def __iter__(self) -> Iterator[Batch]:
        while self._waiting:
            if (kept := self._kept(self._waiting.popleft())) is not None:
                yield kept
        for piece in self._pieces:
            if (kept := self._kept(piece)) is not None:
                yield kept
        if not self.tally.used:
            raise self._none()

    def _kept(self, piece: _Piece) -> Batch | None:
        """The rows that can be used, of unit length; the tally counts and names the rest."""
        values, norms = vector_rows.usable(piece.vectors, piece.wrong)
        wrong = piece.wrong
        good = np.ones(len(values), dtype=np.bool_)
        good[list(wrong)] = False
        again = np.flatnonzero(good)[self._seen.again(piece.ids.filter(pa.array(good)))]
        wrong.update(dict.fromkeys(again.tolist(), _AGAIN))
        good[again] = False
        self._name(piece)
        if not good.all():
            mask = pa.array(good)
            piece = _Piece(piece.start, piece.ids.filter(mask), piece.titles.filter(mask), values[good], {})
            values, norms = piece.vectors, norms[good]
        off = np.abs(norms - 1) > UNIT_TOLERANCE
        if off.any():
            values = np.where(off[:, None], values / norms[:, None], values).astype(np.float32)
        self.tally.used += len(values)
        self.tally.rescaled += int(off.sum())
        return Batch(piece.ids, piece.titles, values) if len(values) else None

    def _name(self, piece: _Piece) -> None:
        for place in sorted(piece.wrong):
            wrong = piece.wrong[place]
            self.tally.left_out[wrong.kind] = self.tally.left_out.get(wrong.kind, 0) + 1
            if len(self.tally.named) < self.most_named:
                id_ = piece.ids[place].as_py() or ""
                self.tally.named.append(LeftOut(piece.start + place + 1, id_, wrong.why))

    def _none(self) -> UnreadableItem:
        first = "; ".join(f"{one.name} {one.reason}" for one in self.tally.named[:3])
        return self._bad(f"has no usable row: {first or 'it is empty'}")

    # -- formats ---------------------------------------------------------------------------------------------------
    def _guarded(self, pieces: Iterator[_Piece]) -> Iterator[_Piece]:
        try:
            yield from pieces
        except UnreadableItem:
            raise
        except DataError as error:
            raise self._bad(str(error)) from error
        except (ValueError, OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile, pa.ArrowException) as error:
            raise self._bad("cannot be read, because it is damaged or incomplete") from error

    def _open(self) -> Iterator[_Piece]:
        check_regular(self.path, "The vectors")
        try:
            with self.path.open("rb") as file:
                head = file.read(6)
        except OSError as error:
            raise UnreadableItem(f"The vectors {self.path} cannot be read: {reason(error)}. Check the path.") from error
        if head.startswith(b"PK"):
            return self._npz()
        if head.startswith(b"PAR1"):
            return self._parquet()
        if head == b"ARROW1":
            return self._arrow_file()
        if head.startswith(b"\xff\xff\xff\xff"):
            return self._arrow_stream()
        raise self._bad("is not .npz, Parquet or Arrow")

    def _named_by(self, carried: str | bytes) -> Fingerprint:
        """The encoder that the file says made its vectors."""
        try:
            return Fingerprint.from_dict(json.loads(carried))
        except ValueError as error:
            raise self._bad("describes its encoder in a form that cannot be read") from error

    def _npz(self) -> Iterator[_Piece]:
        with zipfile.ZipFile(self.path) as held, ExitStack() as opened:

            def array(name: str) -> NpyReader:
                return NpyReader(opened.enter_context(held.open(name + ".npy")), name)

            names = [name.removesuffix(".npy") for name in held.namelist()]
            if "fingerprint" in names:
                self.fingerprint = self._named_by(str(array("fingerprint").take(1).reshape(-1)[0]))
            named, vectors = array(self._pick(names, ID_NAMES)), array(self._pick(names, VECTOR_NAMES))
            titles = next((array(name) for name in TITLE_NAMES if name in names), None)
            self.total = vectors.shape[0] if vectors.shape else 0
            width = vectors.shape[-1] if len(vectors.shape) > 1 else 0
            fits = not (self.total and not width) and set(vectors.shape[1:-1]) <= {1}
            if not fits or len(vectors.shape) < 2 or named.shape != (self.total,):
                raise self._bad(f"has ids of shape {named.shape} and vectors of shape {vectors.shape}")
            if vectors.dtype.kind not in "fiu" or named.dtype.kind not in "USiuf":
                raise self._bad(f"has ids of type {named.dtype} and vectors of type {vectors.dtype}")
            if titles is not None and titles.shape != named.shape:
                raise self._bad(f"has ids of shape {named.shape} and titles of shape {titles.shape}")
            self._columns.width = width
            for start in range(0, self.total, self.rows):
                count = min(self.rows, self.total - start)
                matrix = vectors.take(count).reshape(count, width)
                known = pa.nulls(count, pa.string()) if titles is None else as_arrow(titles.take(count))
                yield self._piece(as_arrow(named.take(count)), known, matrix, {})

    def _parquet(self) -> Iterator[_Piece]:
        # Page by page rather than a column chunk at once: a file may have one row group of all its rows.
        with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=2**20) as file:
            self.total = file.metadata.num_rows
            yield from self._tables(
                file.schema_arrow, lambda columns: file.iter_batches(self.rows, columns=columns, use_threads=False)
            )

    def _arrow_file(self) -> Iterator[_Piece]:
        with pa.memory_map(str(self.path)) as mapped, pa.ipc.open_file(mapped) as file:
            batches = [file.get_batch(place) for place in range(file.num_record_batches)]
            self.total = sum(batch.num_rows for batch in batches)
            yield from self._tables(file.schema, lambda columns: (batch.select(columns) for batch in batches))

    def _arrow_stream(self) -> Iterator[_Piece]:
        with pa.memory_map(str(self.path)) as mapped, pa.ipc.open_stream(mapped) as stream:
            yield from self._tables(stream.schema, lambda columns: (batch.select(columns) for batch in stream))

    def _tables(self, schema: pa.Schema, batches: Any) -> Iterator[_Piece]:
        names = schema.names
        columns = [self._pick(names, ID_NAMES), self._pick(names, VECTOR_NAMES)]
        columns += [name for name in TITLE_NAMES if name in names][:1]
        carried = (schema.metadata or {}).get(METADATA)
        if carried:
            self.fingerprint = self._named_by(carried)
        # One odd row at the front must not cost the file: the width is settled by many rows, which wait until then.
        waiting: deque[tuple[pa.RecordBatch, Noted]] = deque()
        for large in batches(columns):
            for start in range(0, large.num_rows, self.rows):
                batch = large.slice(start, self.rows)
                waiting.append((batch, self._columns.note(batch.column(columns[1]))))
                if self._columns.noted >= ROWS:
                    self._columns.settle()
                while self.width and waiting:
                    yield self._of_table(columns, *waiting.popleft())
        self._columns.settle()
        while waiting:
            yield self._of_table(columns, *waiting.popleft())

    def _of_table(self, columns: list[str], batch: pa.RecordBatch, noted: Noted) -> _Piece:
        titles = batch.column(columns[2]) if len(columns) > 2 else pa.nulls(len(batch), pa.string())
        matrix, wrong = self._columns.matrix(noted)
        return self._piece(batch.column(columns[0]), titles, matrix, wrong)

    def _piece(self, column: pa.Array, titles: pa.Array, matrix: npt.NDArray[Any], wrong: dict[int, Wrong]) -> _Piece:
        named, refused = cell_ids.from_column(column)
        for place in np.flatnonzero(named.is_null().to_numpy(zero_copy_only=False)).tolist():
            wrong[place] = Wrong("no id", refused.get(place, "has no id"))
        start, self._at = self._at, self._at + len(named)
        return _Piece(start, named, cell_ids.from_column(titles)[0], matrix, wrong)

    def _pick(self, names: list[str], wanted: tuple[str, ...]) -> str:
        for name in wanted:
            if names.count(name) > 1:
                raise self._bad(f"has {name!r} {names.count(name)} times")
            if name in names:
                return name
        raise self._bad(f"has no {'ids' if wanted is ID_NAMES else 'vectors'} (found: {', '.join(names) or 'nothing'})")

    def _bad(self, what: str) -> UnreadableItem:
        return UnreadableItem(f"The vectors {self.path.name} cannot be used: the file {what}. {HOW}", "bad vectors")


_AGAIN = Wrong("id appears again", "appears more than once; the first row is used")


class _Unfit(ValueError):
    """An array of an .npz that cannot be read in parts; its text is ours, for people."""
