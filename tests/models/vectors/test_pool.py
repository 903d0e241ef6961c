from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest

from attune.models.errors import DataError, EmptyPool
from attune.models.threads import one_thread
from attune.models.vectors import products
from attune.models.vectors.id_index import IdIndex
from attune.models.vectors.pool import Pool
from attune.models.vectors.products import WORTH_TORCH, _blocks_in_numpy, _blocks_in_torch, matrix_times_heads
from tests.models.worlds import world


def test_rows_come_in_the_order_asked_from_any_block_and_have_length_one() -> None:
    pool = world(n=90).pool
    index = np.array([80, 3, 29, 30, 3])
    rows = pool.rows(index)
    whole = np.concatenate([np.asarray(b, dtype=np.float32) for b in pool.blocks])
    np.testing.assert_allclose(rows, whole[index], atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("count", [0, 9, 64, 65, 331, 400])
def test_some_rows_in_parts_have_the_same_logits_to_the_last_bit(
    monkeypatch: pytest.MonkeyPatch, heads: int, count: int
) -> None:
    pool, rng = world(n=400, dim=96).pool, np.random.default_rng(2)
    weight, bias = rng.standard_normal((heads, 96)).astype(np.float32), rng.standard_normal(heads).astype(np.float32)
    index = rng.permutation(400)[:count]
    with one_thread():
        whole, rows = pool.rows(index) @ weight.T + bias, pool.rows(index)
        monkeypatch.setattr("attune.models.vectors.pool.AT_ONCE", 64)
        parts, some = pool.logits_at(index, weight, bias), pool.rows(index)
    assert (parts.tobytes(), parts.shape, some.tobytes()) == (whole.tobytes(), (count, heads), rows.tobytes())


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("heads", [1, 3])
def test_some_rows_have_the_same_logits_in_any_number_of_threads(
    heads: int, threads: int, many_rows: npt.NDArray[np.float16]
) -> None:
    count = 16_385  # enough for BLAS to divide them, at places where it sums otherwise
    ids, weight = np.arange(count).astype(str), many_rows[-heads:].astype(np.float32)
    pool, index, bias = Pool(ids, ids, (many_rows[:count],)), np.arange(count), np.ones(heads, dtype=np.float32)
    with one_thread():
        one = pool.rows(index) @ weight.T + bias
    with pytest.importorskip("threadpoolctl").threadpool_limits(threads, user_api="blas"):
        assert pool.logits_at(index, weight, bias).tobytes() == one.tobytes()


@pytest.mark.parametrize("heads", [1, 3])
def test_logits_are_the_float32_product_of_the_stored_half_precision_values(heads: int) -> None:
    pool = world(n=3000, dim=96).pool
    rng = np.random.default_rng(1)
    weight, bias = rng.standard_normal((heads, 96)).astype(np.float32), rng.standard_normal(heads).astype(np.float32)
    exact = np.concatenate([b.astype(np.float64) for b in pool.blocks]) @ weight.T.astype(np.float64) + bias
    logits = pool.logits(weight, bias)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, exact, atol=1e-5)


def test_numpy_alone_gives_the_same_product_as_torch() -> None:
    matrix = world(n=500).pool.blocks[1]
    heads = np.random.default_rng(0).standard_normal((2, matrix.shape[1])).astype(np.float32)
    plain = np.empty((len(matrix), 2), dtype=np.float32)
    _blocks_in_numpy(matrix, heads, plain)
    np.testing.assert_allclose(matrix_times_heads(matrix, heads), plain, atol=1e-5)


@pytest.fixture(scope="module")
def many_rows() -> npt.NDArray[np.float16]:
    """Twice as many as torch needs to be worth it, and some more than whole blocks; to draw them takes a second."""
    shape = (2 * WORTH_TORCH // 512 + 700, 512)
    return np.random.default_rng(3).standard_normal(shape, dtype=np.float32).astype(np.float16)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_one_head_gives_the_same_bits_in_one_thread_as_in_many(kind: type, many_rows: npt.NDArray[np.float16]) -> None:
    """Rows enough for torch, beside a short block, which numpy multiplies."""
    rows = many_rows.astype(kind, copy=False)
    head = rows[:1].astype(np.float32)
    for matrix in (rows, rows[:3000]):
        many = np.empty((len(matrix), 1), dtype=np.float32)
        if kind is np.float16 and matrix is rows:
            torch = pytest.importorskip("torch")
            _blocks_in_torch(torch, torch.from_numpy(matrix), head, many)
        else:
            for start in range(0, len(matrix), 1024):
                np.dot(matrix[start : start + 1024].astype(np.float32), head.T, out=many[start : start + 1024])
        assert matrix_times_heads(matrix, head).tobytes() == many.tobytes()


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_no_number_of_threads_changes_a_bit(
    heads: int, threads: int, many_rows: npt.NDArray[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last thread has a short block."""
    matrix, columns = many_rows, many_rows[:heads].astype(np.float32)
    monkeypatch.setattr(products, "cores", lambda: 1)
    one = matrix_times_heads(matrix, columns)
    monkeypatch.setattr(products, "WORTH_A_THREAD", matrix.size // threads)
    monkeypatch.setattr(products, "cores", lambda: threads)
    assert len(products._parts(matrix)) == threads
    assert matrix_times_heads(matrix, columns).tobytes() == one.tobytes()


def test_a_read_only_map_is_scored_without_a_copy_or_a_warning(tmp_path) -> None:
    path = tmp_path / "vectors.npy"
    np.save(path, world(n=60).pool.blocks[0])
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    scores = matrix_times_heads(mapped, np.ones((1, mapped.shape[1]), dtype=np.float32))
    np.testing.assert_allclose(scores[:, 0], np.asarray(mapped, dtype=np.float32).sum(axis=1), atol=1e-5)


def test_positions_mark_assets_that_left_the_pool() -> None:
    assert world(n=30).pool.positions(["a00004", "gone", "a00000"]).tolist() == [4, -1, 0]


def test_positions_hold_in_another_process_and_where_two_ids_hash_alike() -> None:
    ids = np.array([f"a{number}" for number in range(40)])
    alike = IdIndex(ids, len)
    assert alike.rows(["a7", "a39", "b7", "a10", "gone"]).tolist() == [7, 39, -1, 10, -1]
    assert alike.rows([]).tolist() == IdIndex(ids[:0]).rows([]).tolist() == []
    assert IdIndex(ids[:0]).rows(["a7"]).tolist() == [-1]
    pool = world(n=30).pool
    pool.positions(["a00004"])
    script = "import pickle, sys; print(*pickle.load(sys.stdin.buffer).positions(['a00004', 'gone']))"
    run = subprocess.run([sys.executable, "-c", script], input=pickle.dumps(pool), capture_output=True, check=True)
    assert run.stdout.split() == [b"4", b"-1"]


def test_refuses_vectors_that_do_not_belong_together() -> None:
    ids = np.array(["a", "b"])
    with pytest.raises(DataError, match="2 asset ids, 2 title ids and 3 vectors"):
        Pool(ids, ids, (np.zeros((3, 4), dtype=np.float16),))
    with pytest.raises(DataError, match="one encoder"):
        Pool(ids, ids, (np.zeros((1, 4), dtype=np.float16), np.zeros((1, 5), dtype=np.float16)))


def test_an_empty_pool_is_legal_but_has_no_dimension() -> None:
    pool = Pool(np.array([], dtype=str), np.array([], dtype=str), ())
    assert len(pool) == 0
    assert pool.logits(np.ones((1, 4)), np.zeros(1)).shape == (0, 1)
    with pytest.raises(EmptyPool, match="attune assets add"):
        _ = pool.dim
