"""The store keeps what was acknowledged, once, whoever writes at the same time and whenever a writer dies."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import psutil
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EncoderMismatch
from attune.models.vectors.vector_store import FAN_OUT, VectorStore, _to_merge
from tests.models.vectors import writers
from tests.models.vectors.writers import FEW, append_many, vectors_of

OTHER = Fingerprint("test", "other", "w", 8)


def holds(store: VectorStore, fingerprint: Fingerprint, ids: set[str]) -> None:
    """Check that exactly ``ids`` are there, each once and with its own vector."""
    read = store.read(fingerprint)
    assert sorted(read.ids.tolist()) == sorted(ids)
    if ids:
        np.testing.assert_allclose(np.concatenate(read.blocks), vectors_of(read.ids.tolist()), atol=1e-3)


ids_of = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6), max_size=6)
actions = st.lists(
    st.tuples(st.sampled_from(["append", "replace", "remove", "compact", "reopen"]), ids_of), max_size=25
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions)
def test_after_any_series_of_changes_it_holds_what_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, series: list[tuple[str, list[str]]]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store, expected = VectorStore(folder), set[str]()
    for action, ids in series:
        if action == "append":
            assert store.append(FEW, ids, vectors_of(ids)) == len(set(ids) - expected)
            expected |= set(ids)
        elif action == "replace":
            assert store.replace(FEW, ids, vectors_of(ids)) == len(set(ids) & expected)
            expected |= set(ids)
        elif action == "remove":
            assert store.remove(ids) == len(set(ids) & expected)
            expected -= set(ids)
        elif action == "compact":
            store.compact(FEW)
        else:
            store = VectorStore(folder)
        assert store.missing(FEW, ids) == [id_ for id_ in ids if id_ not in expected]
        assert set(store.lookup(FEW, ids)) == set(ids) & expected
    holds(store, FEW, expected)


def test_appending_again_changes_nothing_and_keeps_the_first_vector(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    assert store.append(FEW, ["a", "b"], vectors_of(["a", "b"])) == 2
    assert store.append(FEW, ["b", "c"], vectors_of(["x", "c"])) == 1
    holds(store, FEW, {"a", "b", "c"})


def test_encoders_are_kept_apart_and_a_removal_reaches_all_of_them(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.append(FEW, ["a", "b"], vectors_of(["a", "b"]))
    store.append(OTHER, ["a"], vectors_of(["a"]))
    assert {made.digest for made in store.fingerprints()} == {FEW.digest, OTHER.digest}
    assert store.remove(["a", "never there"]) == 2
    holds(store, FEW, {"b"})
    holds(store, OTHER, set())


def test_removed_vectors_leave_no_bytes_behind(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.append(FEW, ["secret-id", "b"], vectors_of(["secret-id", "b"]))
    pattern = vectors_of(["secret-id"]).astype(np.float16).tobytes()
    assert any(pattern in path.read_bytes() for path in tmp_path.rglob("*.arrow"))
    store.remove(["secret-id"])
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or (b"secret-id" not in path.read_bytes() and pattern not in path.read_bytes())


@pytest.mark.parametrize(
    ("ids", "vectors", "error", "words"),
    [
        (["a"], np.ones((1, 7)), EncoderMismatch, "have 7 numbers each, but test few"),
        (["a", "b"], np.ones((1, 8)), DataError, "2 ids have vectors of shape (1, 8)"),
        (["a"], np.ones(8), DataError, "of shape (8,)"),
        (["a", "b"], np.stack([vectors_of(["a"])[0], np.full(8, np.nan)]), DataError, "1 of 2 ids ('b' first)"),
        (["a"], np.zeros((1, 8)), DataError, "do not have length 1"),
    ],
)
def test_what_is_no_unit_vector_of_the_encoder_is_refused(
    tmp_path: Path, ids: list[str], vectors: npt.NDArray[np.float64], error: type[Exception], words: str
) -> None:
    store = VectorStore(tmp_path)
    with pytest.raises(error) as raised:
        store.append(FEW, ids, vectors)
    assert words in str(raised.value)
    assert len(store.read(FEW)) == 0


def test_reading_maps_the_files_and_copies_nothing(tmp_path: Path) -> None:
    wide = Fingerprint("test", "wide", "w", 1024)
    store = VectorStore(tmp_path)
    matrix = np.full((20_000, 1024), 1 / 32, dtype=np.float16)
    store.append(wide, [str(row) for row in range(len(matrix))], matrix)
    del matrix
    read = VectorStore(tmp_path).read(wide)
    process = psutil.Process()
    before = _own_bytes(process)
    total = sum(float(block.view(np.uint16).sum()) for block in read.blocks)
    grown = _own_bytes(process) - before
    assert total > 0
    assert sum(block.nbytes for block in read.blocks) == 40_960_000
    assert grown < 4_000_000
    assert all(not block.flags.owndata and not block.flags.writeable for block in read.blocks)


def _own_bytes(process: psutil.Process) -> int:
    """Memory that is the process's own: without the pages of mapped files."""
    info = process.memory_info()
    return int(info.rss - info.shared)


def test_other_engines_read_the_shards_as_they_are(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.append(FEW, ["a", "é"], vectors_of(["a", "é"]))
    shard = next((tmp_path / FEW.digest).glob("*.arrow"))
    held = pa.ipc.open_file(pa.memory_map(str(shard))).read_all()
    assert held.schema.field("vector").type == pa.list_(pa.float16(), 8)
    assert b'"model":"few"' in held.schema.metadata[b"attune.fingerprint"]
    # DuckDB knows no half floats yet, so it is handed single ones.
    single = held.set_column(1, "vector", held["vector"].cast(pa.list_(pa.float32(), 8)))
    query = "select id, round(list_inner_product(vector::float[], vector::float[]), 2) from single order by id"
    assert duckdb.sql(query).fetchall() == [("a", 1.0), ("é", 1.0)]
    assert len(single) == 2


def test_shards_stay_few_however_they_grow() -> None:
    for sizes in ([64] * 3000, [64, 4096] * 500, [1] * 3000, [4096, *[64] * 500]):
        rows: list[int] = []
        moved = 0
        for size in sizes:
            rows.append(size)
            while count := _to_merge(rows):
                moved += sum(rows[-count:])
                rows[-count:] = [sum(rows[-count:])]
        assert len(rows) < FAN_OUT * 6
        assert moved < 6 * sum(sizes)


def test_a_reader_outlives_the_files_it_mapped(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.append(FEW, ["a"], vectors_of(["a"]))
    read = store.read(FEW)
    store.append(FEW, ["b"], vectors_of(["b"]))
    store.compact(FEW)
    np.testing.assert_allclose(read.blocks[0], vectors_of(["a"]), atol=1e-3)


def test_processes_append_at_once_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=append_many, args=(str(tmp_path), worker)) for worker in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    expected = {f"{worker}-{number}" for worker in range(3) for number in range(12)}
    holds(VectorStore(tmp_path), FEW, expected | {f"shared-{number}" for number in range(12)})


@pytest.mark.slow
def test_killed_at_any_instant_it_holds_all_that_was_acknowledged(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    acknowledged: list[int] = []
    for turn in range(8):
        start = turn * 10_000
        command = [sys.executable, "-m", writers.__name__, str(tmp_path / "store"), str(start)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged.append(int(writer.stdout.readline()))
            time.sleep(float(rng.uniform(0, 0.3)))
            writer.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in writer.stdout.read().split("\n") if line]
        read = VectorStore(tmp_path / "store").read(FEW)
        ids = read.ids.tolist()
        assert len(ids) == len(set(ids))
        assert {f"{number}-{part}" for number in acknowledged for part in "ab"} <= set(ids)
        assert not {f"{number}-gone" for number in acknowledged} & set(ids)
        np.testing.assert_allclose(np.concatenate(read.blocks), vectors_of(ids), atol=1e-3)


def test_a_replaced_vector_is_the_new_one(tmp_path: Path) -> None:
    store, other = VectorStore(tmp_path), VectorStore(tmp_path)
    ids = [str(number) for number in range(40)]
    store.append(FEW, ids[:20], vectors_of(ids[:20]))
    store.append(FEW, ids[20:], vectors_of(ids[20:]))
    store.append(OTHER, ids, vectors_of(ids))
    assert other.ids(FEW) == set(ids)
    assert store.replace(FEW, ["3", "30", "new"], vectors_of(["a", "b", "c"])) == 2
    holds(store, OTHER, set(ids))
    found = other.lookup(FEW, ["3", "30", "new", "4"])
    np.testing.assert_allclose(
        np.stack([found[id_] for id_ in ("3", "30", "new", "4")]), vectors_of(["a", "b", "c", "4"]), atol=1e-3
    )
    assert len(other.read(FEW)) == 41 == len(other.ids(FEW))
