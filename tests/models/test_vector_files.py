"""Ready-made vectors: several formats, one result; a bad row is named, a bad file refused with what it should hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from models.errors import UnreadableItem
from models.fingerprint import Fingerprint
from models.vector_files import read_vectors

IDS = ["a.jpg", "b.jpg", "ü.jpg"]
MATRIX = np.array([[3, 4, 0], [0, 1, 0], [1, 1, 1]], dtype=np.float32)
UNIT = MATRIX / np.linalg.norm(MATRIX, axis=1, keepdims=True)


def npz(path: Path, ids: Any, matrix: Any, **more: Any) -> None:
    np.savez(path, ids=np.asarray(ids), vectors=np.asarray(matrix), **more)


def table(ids: Any, matrix: Any) -> pa.Table:
    return pa.table({"id": ids, "vector": [row.tolist() for row in np.asarray(matrix)]})


WRITERS: dict[str, Callable[[Path, Any, Any], object]] = {
    "v.npz": npz,
    "v.parquet": lambda path, ids, matrix: pq.write_table(table(ids, matrix), path),
    "v.feather": lambda path, ids, matrix: feather.write_feather(table(ids, matrix), path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_all_formats_give_the_same_unit_vectors(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path, IDS, MATRIX)
    read = read_vectors(path)
    assert read.ids == IDS
    np.testing.assert_allclose(read.vectors, UNIT, rtol=1e-6)
    assert read.vectors.dtype == np.float32
    assert (read.rescaled, read.left_out) == (2, [])
    assert read.fingerprint == Fingerprint.external(path, 3)


def test_an_arrow_stream_and_our_own_shards_are_read_too(tmp_path: Path) -> None:
    from models.vectors import VectorStore

    held = table(IDS, MATRIX)
    with pa.OSFile(str(tmp_path / "v.arrow"), "wb") as file, pa.ipc.new_stream(file, held.schema) as writer:
        writer.write_table(held)
    assert read_vectors(tmp_path / "v.arrow").ids == IDS
    made = Fingerprint("x", "y", "z", 3)
    VectorStore(tmp_path / "store").append(made, IDS, UNIT)
    shard = next((tmp_path / "store").rglob("*.arrow"))
    np.testing.assert_allclose(read_vectors(shard, made).vectors, UNIT, atol=1e-3)


def test_bad_rows_are_named_and_left_out(tmp_path: Path) -> None:
    rows = np.array([[1, 0], [np.nan, 1], [0, 0], [0, 1], [1, 1], [np.inf, 0]], dtype=np.float32)
    npz(tmp_path / "v.npz", ["good", "nan", "zero", "good", "", "inf"], rows)
    read = read_vectors(tmp_path / "v.npz")
    assert read.ids == ["good"]
    np.testing.assert_array_equal(read.vectors, [[1, 0]])
    assert read.left_out == [
        ("nan", "holds NaN or infinity"),
        ("zero", "is all zeros"),
        ("good", "is there 2 times; the first counts"),
        ("row 4", "has no id"),
        ("inf", "holds NaN or infinity"),
    ]


def test_half_floats_and_whole_numbers_as_ids_are_fine(tmp_path: Path) -> None:
    npz(tmp_path / "v.npz", np.arange(3), UNIT.astype(np.float16))
    read = read_vectors(tmp_path / "v.npz")
    assert read.ids == ["0", "1", "2"]
    np.testing.assert_allclose(np.linalg.norm(read.vectors, axis=1), 1, rtol=1e-6)


def _pickled(path: Path) -> None:
    np.savez(path, ids=np.array(["a", {}], dtype=object), vectors=np.eye(2))


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "flat.npz": (lambda path: npz(path, IDS, np.ones(3)), "has 3 ids and vectors of shape (3,)"),
    "short.npz": (lambda path: npz(path, IDS[:2], MATRIX), "has 2 ids and vectors of shape (3, 3)"),
    "noids.npz": (lambda path: np.savez(path, vectors=MATRIX), "has no ids; it has vectors"),
    "texts.npz": (lambda path: npz(path, IDS, [["a"], ["b"], ["c"]]), "has vectors of type <U1"),
    "pickled.npz": (_pickled, "holds pickled objects, never opened"),
    "cut.npz": (lambda path: (npz(path, IDS, MATRIX), path.write_bytes(path.read_bytes()[:300])), "cannot be read"),
    "ragged.parquet": (
        lambda path: pq.write_table(pa.table({"id": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]}), path),
        "has vectors of several lengths (1, 2)",
    ),
    "scalar.parquet": (
        lambda path: pq.write_table(pa.table({"id": ["a"], "vector": [1.0]}), path),
        "has vectors of type double",
    ),
    "text.arrow": (lambda path: path.write_text("id,vector\n"), "is neither .npz nor Parquet"),
    "empty.npz": (lambda path: path.write_bytes(b""), "is neither .npz nor Parquet"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_used_is_refused_with_what_it_should_hold(tmp_path: Path, name: str) -> None:
    write, words = BROKEN[name]
    write(tmp_path / name)
    with pytest.raises(UnreadableItem) as error:
        read_vectors(tmp_path / name)
    assert words in str(error.value)
    assert name in str(error.value)
    assert "It must hold ids" in str(error.value)


def test_a_fingerprint_of_another_width_is_refused(tmp_path: Path) -> None:
    npz(tmp_path / "v.npz", IDS, MATRIX)
    with pytest.raises(UnreadableItem, match="has vectors of 3 entries, the fingerprint says 512"):
        read_vectors(tmp_path / "v.npz", Fingerprint("open_clip", "ViT-B-32", "ab", 512))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableItem, match=r"nowhere\.npz cannot be read: it is not there"):
        read_vectors(tmp_path / "nowhere.npz")
