"""Every format gives the same rows in batches; rows and files that cannot be scored are told apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import UnreadableItem
from attune.models.files.atomic import digest_file
from attune.models.vectors.vector_batches import VectorStream
from attune.models.vectors.vector_shards import METADATA
from attune.models.vectors.vector_store import VectorStore

D = 6


def unit(n: int) -> np.ndarray:
    x = np.random.default_rng(n).normal(size=(n, D)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def table(ids: list[str], x: np.ndarray, fixed: bool = False) -> pa.Table:
    kind = pa.list_(pa.float32(), D) if fixed else pa.list_(pa.float32())
    return pa.table({"id": ids, "vector": pa.array(list(x), kind), "title_id": [f"t{i}" for i in ids]})


def write(path: Path, kind: str, ids: list[str], x: np.ndarray) -> Path:
    if kind.startswith("npz"):
        (np.savez_compressed if kind == "npz-compressed" else np.savez)(path, ids=np.array(ids), vectors=x)
        return path.with_name(path.name + ".npz")
    made = table(ids, x, fixed=kind.endswith("fixed"))
    if kind.startswith("parquet"):
        pq.write_table(made, path, row_group_size=len(ids))
    elif kind.startswith("arrow-file"):
        with pa.ipc.new_file(path, made.schema) as writer:
            writer.write_table(made, max_chunksize=17)
    else:
        with pa.ipc.new_stream(path, made.schema) as writer:
            writer.write_table(made)
    return path


KINDS = ["npz", "npz-compressed", "parquet", "parquet-fixed", "arrow-file", "arrow-file-fixed", "arrow-stream"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [1, 7, 50, 1000])
def test_all_rows_come_once_in_order_whatever_the_format_and_batch(tmp_path: Path, kind: str, rows: int) -> None:
    ids, x = [f"a{i}" for i in range(50)], unit(50)
    stream = VectorStream(write(tmp_path / "v", kind, ids, x), rows)
    batches = list(stream)
    assert all(len(batch.vectors) <= rows for batch in batches)
    assert [id_ for batch in batches for id_ in batch.ids.to_pylist()] == ids
    assert np.array_equal(np.concatenate([batch.vectors for batch in batches]), x)
    assert stream.tally.used == 50
    titles = [title for batch in batches for title in batch.titles.to_pylist()]
    assert titles == ([None] * 50 if kind.startswith("npz") else [f"ta{i}" for i in range(50)])


def test_whole_numbers_as_ids_and_half_precision_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", ids=np.arange(3), vectors=unit(3).astype(np.float16))
    (batch,) = VectorStream(tmp_path / "v.npz")
    assert batch.ids.to_pylist() == ["0", "1", "2"]
    assert batch.vectors.dtype == np.float32


@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_rows_that_cannot_be_scored_are_counted_and_others_brought_to_unit_length(tmp_path: Path, kind: str) -> None:
    x = unit(6)
    x[1, 0], x[2], x[3] = np.nan, 0, x[3] * 7
    stream = VectorStream(write(tmp_path / "v", kind, list("abcdef"), x))
    (batch,) = stream
    assert batch.ids.to_pylist() == ["a", "d", "e", "f"]
    assert np.linalg.norm(batch.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert stream.tally.left_out == {"not finite": 1, "all zeros": 1}
    assert (stream.tally.used, stream.tally.rescaled) == (4, 1)


def test_a_file_says_which_encoder_made_it_or_is_known_by_its_digest(tmp_path: Path) -> None:
    made = Fingerprint("open_clip", "tiny", "ab", D)
    np.savez(tmp_path / "bare.npz", ids=np.array(["a"]), vectors=unit(1))
    np.savez(tmp_path / "named.npz", ids=["a"], vectors=unit(1), fingerprint=np.array(json.dumps(made.to_dict())))
    named = table(["a"], unit(1)).replace_schema_metadata({METADATA: json.dumps(made.to_dict())})
    pq.write_table(named, tmp_path / "named.parquet")
    store = VectorStore(tmp_path / "store")
    store.append(made, ["a"], unit(1))
    (shard,) = (tmp_path / "store").rglob("*.arrow")
    for path in (tmp_path / "named.npz", tmp_path / "named.parquet", shard):
        assert VectorStream(path).identity() == made
    bare = VectorStream(tmp_path / "bare.npz").identity()
    assert bare.weights == "external:" + digest_file(tmp_path / "bare.npz")
    assert bare.dimension == D


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"ids": np.array(["a"])}, "has no vectors \\(found: ids"),
        ({"vectors": unit(1)}, "has no ids \\(found: vectors"),
        ({"ids": np.array(["a", "b"]), "vectors": unit(3)}, r"ids of shape \(2,\) and vectors of shape \(3, 6\)"),
        ({"ids": np.array(["a"]), "vectors": np.array([["x"]])}, "vectors of type <U1"),
        ({"ids": np.empty(0, dtype="U1"), "vectors": np.empty((0, 4))}, "the file has no vectors"),
    ],
)
def test_an_npz_that_is_no_set_of_vectors_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    np.savez(tmp_path / "v.npz", **arrays)
    with pytest.raises(UnreadableItem, match=said):
        VectorStream(tmp_path / "v.npz")


def test_pickled_objects_are_never_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", ids=np.array(["a", None], dtype=object), vectors=unit(2))
    with pytest.raises(UnreadableItem, match="pickled objects"):
        VectorStream(tmp_path / "v.npz")


def test_files_that_are_missing_cut_off_or_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableItem, match="cannot be read: it does not exist"):
        VectorStream(tmp_path / "none.npz")
    whole = write(tmp_path / "v", "npz", [f"a{i}" for i in range(200)], unit(200)).read_bytes()
    uneven = pa.table({"id": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]})
    pq.write_table(uneven, tmp_path / "uneven.parquet")
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_bytes(b"id,vector\na,1\n")
    (tmp_path / "empty.parquet").write_bytes(b"")
    for name in ("cut.npz", "text.npz", "empty.parquet", "uneven.parquet"):
        with pytest.raises(UnreadableItem, match=f"{name} cannot be used"):
            list(VectorStream(tmp_path / name))


def odd_first(path: Path, kind: str, rest: int) -> Path:
    """One row of seven entries, in a batch of its own, and ``rest`` rows of eight."""
    many = [[1.0] * 8] * rest
    parts = [pa.record_batch({"id": ["odd"], "vector": [[1.0] * 7]})]
    parts += [pa.record_batch({"id": [f"a{i}" for i in range(rest)], "vector": many})]
    if kind == "parquet":
        pq.write_table(pa.Table.from_batches(parts), path, row_group_size=1)
        return path
    with (pa.ipc.new_file if kind == "arrow-file" else pa.ipc.new_stream)(path, parts[0].schema) as writer:
        for part in parts:
            writer.write_batch(part)
    return path


@pytest.mark.parametrize("kind", ["parquet", "arrow-file", "arrow-stream"])
@pytest.mark.parametrize("expected", [0, 8])
@pytest.mark.parametrize("rows", [1, 8192])
def test_one_odd_first_row_costs_itself(tmp_path: Path, kind: str, expected: int, rows: int) -> None:
    stream = VectorStream(odd_first(tmp_path / "v", kind, 100), rows, expected=expected)
    used = [id_ for batch in stream for id_ in batch.ids.to_pylist()]
    assert (stream.width, used) == (8, [f"a{i}" for i in range(100)])
    assert [(one.row, one.id) for one in stream.tally.named] == [(1, "odd")]


def test_the_expected_length_wins_where_one_row_has_it(tmp_path: Path) -> None:
    stream = VectorStream(odd_first(tmp_path / "v", "arrow-file", 100), expected=7)
    assert [batch.ids.to_pylist() for batch in stream] == [["odd"]]
    assert (stream.width, stream.tally.left_out) == (7, {"another length": 100})


@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_wider_than_eight_bytes_are_read(tmp_path: Path, order: str) -> None:
    wide = np.asarray(unit(3).astype(np.longdouble), order=order)  # type: ignore[call-overload]
    np.savez(tmp_path / "v.npz", ids=np.arange(3).astype(np.longdouble), vectors=wide)
    (batch,) = VectorStream(tmp_path / "v.npz")
    assert batch.ids.to_pylist() == ["0", "1", "2"]
    assert np.array_equal(batch.vectors, unit(3))
