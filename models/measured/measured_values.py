"""Measured values on disk: Parquet parts of one folder a version, each written whole, so that a killed job goes on.

A part has a row an image: ``asset_id``, ``content`` (sha256 of the image's bytes) and a column of doubles a measure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock

from attune.models.clock import iso, now
from attune.models.files.atomic import digest_json, write_bytes, write_json
from attune.models.measured.measures import NAMES
from attune.models.vectors.products import FloatArray

PART = re.compile(r"part-(\d{6})\.parquet")
DESCRIBED = "version.json"
MANY = 64  # parts that are made one, so that reading stays quick


class MeasuredValues:
    """The values of one version (``digest`` of the measurer) in ``folder``/``digest``, in columns ``names``."""

    def __init__(self, folder: Path, digest: str, names: Sequence[str] = NAMES) -> None:
        self.folder, self.digest, self.names = folder / digest, digest, tuple(names)

    def append(self, ids: Sequence[str], contents: Sequence[str], rows: FloatArray) -> None:
        """Keep ``rows`` (n, m) of the images ``ids`` with the bytes ``contents``, on disk when it returns."""
        if not ids:
            return
        columns = [
            pa.array(ids, pa.string()),
            pa.array(contents, pa.string()),
            *(pa.array(column, pa.float64()) for column in rows.T.astype(np.float64)),
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock():
            write_json(self.folder / DESCRIBED, {"digest": self.digest, "measures": list(self.names), "at": iso(now())})
            self._write(pa.table(columns, names=["asset_id", "content", *self.names]))
            if len(self._parts()) > MANY:
                self._write(self._joined(), instead_of=self._parts())

    def known(self) -> dict[str, str]:
        """The content that each image was measured with, by its id."""
        table = self.read(columns=())
        return dict(zip(table["asset_id"].to_pylist(), table["content"].to_pylist(), strict=True))

    def state(self) -> str | None:
        """A digest that changes with each image that is measured or removed; None where none was measured. It reads no
        values: a part that is written gets a number that no other had.
        """
        parts = [(path.name, path.stat().st_size) for path in self._parts()]
        return digest_json([self.digest, parts]) if parts else None

    def read(self, columns: Iterable[str] | None = None, only: Sequence[str] | None = None) -> pa.Table:
        """``asset_id``, ``content`` and ``columns`` (all, for None) of every image, or of the ids ``only``; the newest
        measuring of each alone."""
        with self._lock():
            return self._joined(None if columns is None else tuple(columns), only)

    def remove(self, ids: Iterable[str]) -> int:
        """Delete the rows of ``ids``; returns how many there were."""
        gone = pa.array(sorted(set(ids)), pa.string())
        with self._lock():
            table = self._joined()
            kept = table.filter(pc.invert(pc.is_in(table["asset_id"], gone)))
            if kept.num_rows < table.num_rows:
                self._write(kept, instead_of=self._parts())
        return int(table.num_rows - kept.num_rows)

    def _lock(self) -> FileLock:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder.with_suffix(".lock"), timeout=300)

    def _parts(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("part-*.parquet") if PART.fullmatch(path.name))

    def _joined(self, columns: tuple[str, ...] | None = None, only: Sequence[str] | None = None) -> pa.Table:
        columns = self.names if columns is None else columns
        wanted = ["asset_id", "content", *columns]
        chosen = None if only is None else pc.field("asset_id").isin(pa.array(only, pa.string()))
        tables = [pq.read_table(path, columns=wanted, filters=chosen) for path in self._parts()]
        if not tables:
            kinds = [pa.string(), pa.string(), *(pa.float64() for _ in columns)]
            return pa.schema(list(zip(wanted, kinds, strict=True))).empty_table()
        table = pa.concat_tables(tables)
        if pc.count_distinct(table["asset_id"]).as_py() == table.num_rows:
            return table
        last = {id_: row for row, id_ in enumerate(table["asset_id"].to_pylist())}
        return table.take(pa.array(sorted(last.values())))

    def _write(self, table: pa.Table, instead_of: Sequence[Path] = ()) -> None:
        """A new last part, and no longer those ``instead_of`` which it stands.

        Killed between the two, the rows are there twice, and the newer ones count.
        """
        parts = self._parts()
        number = int(PART.fullmatch(parts[-1].name)[1]) + 1 if parts else 0  # type: ignore[index]
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        write_bytes(self.folder / f"part-{number:06d}.parquet", sink.getvalue().to_pybytes())
        for path in instead_of:
            path.unlink()
