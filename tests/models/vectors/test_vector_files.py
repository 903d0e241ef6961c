"""Ready-made vectors: several formats, one result; a bad row is named, a bad file refused with what it should hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyarrow import feather

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EncoderMismatch, UnreadableItem
from attune.models.vectors.vector_batches import VectorStream
from attune.models.vectors.vector_files import read_vectors
from attune.models.vectors.vector_shards import METADATA
from attune.models.vectors.vector_writer import vector_file

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
    from attune.models.vectors.vector_store import VectorStore

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
        ("nan", "contains NaN or infinity"),
        ("zero", "is all zeros"),
        ("good", "appears more than once; the first row is used"),
        ("row 5", "has no id"),
        ("inf", "contains NaN or infinity"),
    ]


def test_half_floats_and_whole_numbers_as_ids_are_fine(tmp_path: Path) -> None:
    npz(tmp_path / "v.npz", np.arange(3), UNIT.astype(np.float16))
    read = read_vectors(tmp_path / "v.npz")
    assert read.ids == ["0", "1", "2"]
    np.testing.assert_allclose(np.linalg.norm(read.vectors, axis=1), 1, rtol=1e-6)


def _pickled(path: Path) -> None:
    np.savez(path, ids=np.array(["a", {}], dtype=object), vectors=np.eye(2))


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "flat.npz": (lambda path: npz(path, IDS, np.ones(3)), "ids of shape (3,) and vectors of shape (3,)"),
    "short.npz": (lambda path: npz(path, IDS[:2], MATRIX), "ids of shape (2,) and vectors of shape (3, 3)"),
    "noids.npz": (lambda path: np.savez(path, vectors=MATRIX), "has no ids (found: vectors"),
    "texts.npz": (lambda path: npz(path, IDS, [["a"], ["b"], ["c"]]), "vectors of type <U1"),
    "pickled.npz": (_pickled, "pickled objects"),
    "cut.npz": (lambda path: (npz(path, IDS, MATRIX), path.write_bytes(path.read_bytes()[:300])), "cannot be read"),
    "ragged.parquet": (
        lambda path: pq.write_table(pa.table({"id": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]}), path),
        "has vectors of several lengths (1, 2)",
    ),
    "scalar.parquet": (
        lambda path: pq.write_table(pa.table({"id": ["a"], "vector": [1.0]}), path),
        "has vectors of type double",
    ),
    "text.arrow": (lambda path: path.write_text("id,vector\n"), "is not .npz, Parquet or Arrow"),
    "empty.npz": (lambda path: path.write_bytes(b""), "is not .npz, Parquet or Arrow"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_used_is_refused_with_what_it_should_hold(tmp_path: Path, name: str) -> None:
    write, words = BROKEN[name]
    write(tmp_path / name)
    with pytest.raises(UnreadableItem) as error:
        read_vectors(tmp_path / name)
    assert words in str(error.value)
    assert name in str(error.value)
    assert "Expected ids" in str(error.value)


def test_a_fingerprint_of_another_width_is_refused(tmp_path: Path) -> None:
    npz(tmp_path / "v.npz", IDS, MATRIX)
    with pytest.raises(UnreadableItem, match="has 3 numbers per vector, but the fingerprint says 512"):
        read_vectors(tmp_path / "v.npz", Fingerprint("open_clip", "ViT-B-32", "ab", 512))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableItem, match=r"nowhere\.npz cannot be read: it does not exist"):
        read_vectors(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream", "npz"])
def test_a_file_names_its_own_encoder(tmp_path: Path, kind: str) -> None:
    made = Fingerprint("open_clip", "tiny", "ab" * 32, 4)
    path, said = tmp_path / f"v.{kind}", json.dumps(made.to_dict())
    if kind == "npz":
        np.savez(path, ids=["a"], vectors=np.eye(1, 4), fingerprint=said)
    elif kind == "stream":
        table = pa.table({"id": ["a"], "vector": [[1.0, 0, 0, 0]]}).replace_schema_metadata({METADATA: said})
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    else:
        with vector_file(path, made) as writer:
            writer.add(["a"], np.eye(1, 4, dtype=np.float32))
    assert read_vectors(path).fingerprint == made
    assert read_vectors(path, made).fingerprint == made
    with pytest.raises(EncoderMismatch, match="Leave out --fingerprint"):
        read_vectors(path, Fingerprint("open_clip", "other", "ab" * 32, 4))


def test_a_garbled_fingerprint_is_refused_as_such(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "vector": [[1.0, 0, 0, 0]]}).replace_schema_metadata({METADATA: b"{"})
    pq.write_table(table, tmp_path / "v.parquet")
    with pytest.raises(UnreadableItem, match="describes its encoder"):
        read_vectors(tmp_path / "v.parquet")


# -- rows --------------------------------------------------------------------------------------------------------------
GOOD = [[3.0, 4.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
ODD: dict[str, tuple[Any, str]] = {
    "none": (None, "has no vector"),
    "empty": ([], "has no vector"),
    "a null among numbers": ([1.0, None, 0.0], "NaN"),
    "NaN": ([1.0, np.nan, 0.0], "NaN"),
    "infinity": ([np.inf, 0.0, 0.0], "infinity"),
    "beyond half precision": ([1e25, 0.0, 0.0], "1e+25"),
    "beyond single precision": ([1e300, 0.0, 0.0], "1e+300"),
    "zeros": ([0.0, 0.0, 0.0], "zeros"),
    "too long": ([1.0, 0.0, 0.0, 0.0], "has length 4"),
    "too short": ([1.0], "has length 1"),
}


def _write(path: Path, ids: list[str], column: pa.Array) -> Path:
    held = pa.table({"id": ids, "vector": column})
    if path.suffix == ".parquet":
        pq.write_table(held, path)
    else:
        feather.write_feather(held, path)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("odd", ODD)
def test_a_bad_row_is_named_wherever_it_is(tmp_path: Path, odd: str, place: int, suffix: str) -> None:
    row, why = ODD[odd]
    rows, ids = [*GOOD[:place], row, *GOOD[place:]], [*IDS[:place], "bad", *IDS[place:]]
    read = read_vectors(_write(tmp_path / f"v{suffix}", ids, pa.array(rows, pa.list_(pa.float64()))))
    assert read.ids == IDS
    np.testing.assert_allclose(read.vectors, UNIT, rtol=1e-6)
    [(name, reason)] = read.left_out
    assert name == "bad"
    assert why in reason


_tensor = pa.FixedShapeTensorArray.from_numpy_ndarray
AS_COLUMNS: dict[str, pa.Array] = {
    "lists": pa.array(GOOD),
    "large lists": pa.array(GOOD, pa.large_list(pa.float32())),
    "fixed lists": pa.array(GOOD, pa.list_(pa.float32(), 3)),
    "half": pa.array(GOOD, pa.list_(pa.float16())),
    "with a batch dimension": pa.array([[row] for row in GOOD]),
    "fixed, with a batch dimension": pa.array([[row] for row in GOOD], pa.list_(pa.list_(pa.float32(), 3), 1)),
    "tensors": _tensor(MATRIX),
    "tensors with a batch dimension": _tensor(MATRIX.reshape(3, 1, 3)),
    "texts": pa.array([str(row) for row in GOOD]),
    "lists of texts": pa.array([[str(entry) for entry in row] for row in GOOD]),
}


@pytest.mark.parametrize("name", AS_COLUMNS)
@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_a_column_of_any_kind_gives_the_same(tmp_path: Path, name: str, suffix: str) -> None:
    column = AS_COLUMNS[name]
    read = read_vectors(_write(tmp_path / f"v{suffix}", IDS, column))
    assert (read.ids, read.left_out) == (IDS, [])
    np.testing.assert_allclose(read.vectors, UNIT, rtol=1e-6)
    if isinstance(column, pa.ExtensionArray):
        holes = pa.ExtensionArray.from_storage(column.type, column.storage.take(pa.array([0, None, 2])))
    else:
        holes = column.take(pa.array([0, None, 2]))
    read = read_vectors(_write(tmp_path / f"holes{suffix}", IDS, holes))
    assert (read.ids, read.left_out) == ([IDS[0], IDS[2]], [(IDS[1], "has no vector")])
    np.testing.assert_allclose(read.vectors, UNIT[[0, 2]], rtol=1e-6)


def test_several_vectors_in_a_row_are_named(tmp_path: Path) -> None:
    rows = [[GOOD[0]], [GOOD[1], GOOD[1]], [GOOD[2]]]
    read = read_vectors(_write(tmp_path / "v.parquet", IDS, pa.array(rows)))
    assert read.ids == [IDS[0], IDS[2]]
    assert read.left_out == [(IDS[1], "has 2 lists of numbers instead of one vector")]
    texts = pa.array(["[1, 0]", "n/a", "[0, 1]"])
    read = read_vectors(_write(tmp_path / "w.parquet", IDS, texts))
    assert [name for name, _ in read.left_out] == [IDS[1]]


@pytest.mark.parametrize(
    "matrix",
    [MATRIX.reshape(3, 1, 3), np.asfortranarray(MATRIX), MATRIX.astype(">f4"), MATRIX.astype(np.float64)],
    ids=["batch dimension", "column by column", "big-endian", "double"],
)
def test_arrays_of_any_layout_give_the_same(tmp_path: Path, matrix: Any) -> None:
    npz(tmp_path / "v.npz", IDS, matrix)
    np.testing.assert_allclose(read_vectors(tmp_path / "v.npz").vectors, UNIT, rtol=1e-6)


def test_large_numbers_in_an_npz_are_named(tmp_path: Path) -> None:
    npz(tmp_path / "v.npz", IDS, [[1e25, 0, 0], [1, 0, 0], [1e300, 1, 1]])
    read = read_vectors(tmp_path / "v.npz")
    assert read.ids == [IDS[1]]
    assert [name for name, _ in read.left_out] == [IDS[0], IDS[2]]


ID_COLUMNS: dict[str, tuple[Any, list[str], list[str]]] = {
    "binary": (pa.array([b"a", b"\xff", b""]), ["a"], ["row 2", "row 3"]),
    "double": (pa.array([7.0, None, 1e15]), ["7", "1000000000000000"], ["row 2"]),
    "lossy": (pa.array([7.0, 2.0**53, 2.0**60]), ["7"], ["row 2", "row 3"]),
    "dictionary": (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b"], ["a"]),
    "unsigned": (pa.array([2**64 - 1, 0, 7], pa.uint64()), [str(2**64 - 1), "0", "7"], []),
    "two forms": (pa.array(["cafe\u0301", "caf\u00e9", "b"]), ["café", "b"], ["café"]),
}


@pytest.mark.parametrize("name", ID_COLUMNS)
def test_ids_of_any_type_are_texts(tmp_path: Path, name: str) -> None:
    column, used, left = ID_COLUMNS[name]
    pq.write_table(pa.table({"id": column, "vector": GOOD}), tmp_path / "v.parquet")
    read = read_vectors(tmp_path / "v.parquet")
    assert (read.ids, [one for one, _ in read.left_out]) == (used, left)


def test_of_an_id_twice_the_first_usable_row_counts(tmp_path: Path) -> None:
    _write(tmp_path / "v.parquet", ["a", "a", "a"], pa.array([None, GOOD[0], GOOD[1]]))
    read = read_vectors(tmp_path / "v.parquet")
    assert read.ids == ["a"]
    np.testing.assert_allclose(read.vectors, UNIT[:1], rtol=1e-6)
    assert len(read.left_out) == 2


@pytest.mark.parametrize("column", [pa.array([None] * 3, pa.list_(pa.float32())), pa.nulls(3), pa.array(["x"] * 3)])
def test_a_file_without_a_usable_row_is_refused(tmp_path: Path, column: pa.Array) -> None:
    with pytest.raises(UnreadableItem, match=r"no usable row: a\.jpg"):
        read_vectors(_write(tmp_path / "v.parquet", IDS, column))


def test_an_id_column_twice_is_refused(tmp_path: Path) -> None:
    held = pa.Table.from_arrays([pa.array(IDS), pa.array(IDS), pa.array(GOOD)], names=["id", "id", "vector"])
    pq.write_table(held, tmp_path / "v.parquet")
    with pytest.raises(UnreadableItem, match="'id' 2 times"):
        read_vectors(tmp_path / "v.parquet")


ROWS = st.lists(st.sampled_from([*GOOD, None, [], [1.0], [np.nan, 0.0, 0.0], [1e25, 0.0, 0.0]]), min_size=1, max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, size=st.integers(1, 4))
def test_rows_used_and_left_out_are_all_rows(tmp_path: Path, rows: list[Any], size: int) -> None:
    good = sum(row in GOOD for row in rows)
    assume(good > rows.count([1.0]))  # else no length is the commonest
    path = _write(
        tmp_path / "v.parquet", [str(place) for place in range(len(rows))], pa.array(rows, pa.list_(pa.float64()))
    )
    stream = VectorStream(path, size)
    used = [id_ for batch in stream for id_ in batch.ids.to_pylist()]
    assert used == [str(place) for place, row in enumerate(rows) if row in GOOD]
    assert [one.row for one in stream.tally.named] == [place for place, row in enumerate(rows, 1) if row not in GOOD]
    assert sum(stream.tally.left_out.values()) == len(rows) - good
