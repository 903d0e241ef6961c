"""Scores of a file: the documented columns, the probe's own numbers, and no other encoder's vectors."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attune.models.catalog.probe_files import ProbeWeights
from attune.models.catalog.score_vectors import score_file
from attune.models.clock import set_clock
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EncoderMismatch, UnreadableItem
from attune.models.vectors.vector_shards import METADATA
from tests.models.catalog.manifests import make

ENCODER = Fingerprint("open_clip", "tiny", "ab" * 32, 4)
COLUMNS = ["asset_id", "title_id", "attribute", "version", "class", "logit", "probability", "label", "event_timestamp"]
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def probe(k: int) -> ProbeWeights:
    generator = np.random.default_rng(k)
    return ProbeWeights(generator.normal(size=(k, 4)) * 3, generator.normal(size=k), np.tile([1.5, 0.1], (k, 1)))


@pytest.fixture
def vectors(tmp_path: Path) -> tuple[Path, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    np.savez(tmp_path / "v.npz", ids=[f"a{i}" for i in range(30)], vectors=x)
    return tmp_path / "v.npz", x


def test_two_classes_give_one_row_an_asset_with_the_first_class_and_its_threshold(
    vectors: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    path, x = vectors
    manifest = make(classes=("serious", "not"), thresholds={"serious": 0.7, "not": 0.5}, encoder=ENCODER.to_dict())
    with set_clock(lambda: AT):
        done = score_file(manifest, probe(1), path, tmp_path / "s.parquet", fingerprint=ENCODER)
    found = pq.read_table(tmp_path / "s.parquet").to_pandas()
    assert (done.assets, done.rows) == (30, 30)
    assert list(found.columns) == COLUMNS
    expected = probe(1).probabilities(x)[:, 0]
    assert np.abs(found["probability"] - expected).max() < 1e-6
    assert np.allclose(found["logit"], probe(1).logits(x)[:, 0])
    assert list(found["label"]) == ["serious" if p >= 0.7 else "not" for p in expected]
    assert set(found["class"]) == {"serious"}
    assert found["asset_id"].tolist() == [f"a{i}" for i in range(30)]
    assert set(found["event_timestamp"]) == {pd.Timestamp(AT)}


def test_more_classes_give_a_row_for_each_and_one_label(vectors: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, x = vectors
    manifest = make(encoder=ENCODER.to_dict())
    done = score_file(manifest, probe(3), path, tmp_path / "s.parquet", fingerprint=ENCODER)
    found = pq.read_table(tmp_path / "s.parquet").to_pandas()
    assert (done.assets, done.rows) == (30, 90)
    wide = found.pivot(index="asset_id", columns="class", values="probability").loc[[f"a{i}" for i in range(30)]]
    expected = probe(3).probabilities(x)
    assert np.abs(wide[list(manifest.classes)].to_numpy() - expected).max() < 1e-6
    one = found.groupby("asset_id", sort=False)["label"].agg(["first", "nunique"])
    assert set(one["nunique"]) == {1}
    assert one["first"].tolist() == [manifest.classes[i] for i in expected.argmax(axis=1)]


def test_vectors_of_another_encoder_are_refused_and_nothing_is_written(
    vectors: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    path, _ = vectors
    other = Fingerprint("open_clip", "huge", "cd" * 32, 4)
    manifest = make(encoder=ENCODER.to_dict())
    with pytest.raises(EncoderMismatch) as refused:
        score_file(manifest, probe(3), path, tmp_path / "s.parquet", fingerprint=other)
    assert ENCODER.digest[:12] in str(refused.value)
    assert other.digest[:12] in str(refused.value)
    assert "--assume-fingerprint" in str(refused.value)
    with pytest.raises(EncoderMismatch, match="external:"):
        score_file(manifest, probe(3), path, tmp_path / "s.parquet")
    assert not (tmp_path / "s.parquet").exists()
    assert score_file(manifest, probe(3), path, tmp_path / "s.parquet", assume_fingerprint=True).assumed


def test_what_a_file_says_of_itself_outweighs_what_is_said_of_it(tmp_path: Path) -> None:
    other = Fingerprint("open_clip", "huge", "cd" * 32, 4)
    x = np.eye(4, dtype=np.float32)
    held = {"asset_id": ["a", "b", "c", "d"], "vector": pa.array(list(x), pa.list_(pa.float32(), 4))}
    table = pa.table(held).replace_schema_metadata({METADATA: json.dumps(other.to_dict())})
    pq.write_table(table, tmp_path / "v.parquet")
    manifest = make(encoder=ENCODER.to_dict())
    with pytest.raises(EncoderMismatch, match=other.digest[:12]):
        score_file(manifest, probe(3), tmp_path / "v.parquet", tmp_path / "s.parquet", fingerprint=ENCODER)
    assert not (tmp_path / "s.parquet").exists()


def test_a_file_that_breaks_off_leaves_the_old_scores(vectors: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    _, x = vectors
    bad = tmp_path / "bad.npz"
    np.savez(bad, ids=[f"a{i}" for i in range(20_000)], vectors=np.tile(x[:1], (20_000, 1)))
    content = bad.read_bytes()
    where = content.index(b"vectors.npy") + 200_000
    bad.write_bytes(content[:where] + bytes(64) + content[where + 64 :])  # the zip's checksum tells at its end
    (tmp_path / "s.parquet").write_text("old")
    with pytest.raises(UnreadableItem, match="cannot be used"):
        score_file(make(encoder=ENCODER.to_dict()), probe(3), bad, tmp_path / "s.parquet", assume_fingerprint=True)
    assert (tmp_path / "s.parquet").read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bad.npz", "s.parquet", "v.npz"]


def test_rows_that_cannot_be_scored_are_named_and_the_rest_scored(tmp_path: Path) -> None:
    x = np.eye(4).tolist()
    rows = [x[0], None, x[2], [np.nan, 0, 0, 1], [1e25, 0, 0, 0], x[3], x[1]]
    ids = [b"e\xcc\x81", b"b", b"c", b"d", b"e", b"c", b"\xff"]
    pq.write_table(pa.table({"id": ids, "vector": rows}), tmp_path / "v.parquet")
    manifest = make(encoder=ENCODER.to_dict())
    done = score_file(manifest, probe(3), tmp_path / "v.parquet", tmp_path / "s.parquet", assume_fingerprint=True)
    found = pq.read_table(tmp_path / "s.parquet").to_pandas()
    assert found["asset_id"].unique().tolist() == ["é", "c"]
    expected = probe(3).probabilities(np.eye(4, dtype=np.float32)[[0, 2]])
    assert np.abs(found["probability"].to_numpy().reshape(2, 3) - expected).max() < 1e-6
    assert [(one.row, one.id) for one in done.rows_left_out] == [(2, "b"), (4, "d"), (5, "e"), (6, "c"), (7, "")]
    assert (done.assets, sum(done.left_out.values())) == (2, 5)


@pytest.mark.parametrize(("column", "said"), [([7.0, 1e15], ["7", "1000000000000000"]), ([0, 7], ["0", "7"])])
def test_ids_that_became_numbers_are_scored_as_texts(tmp_path: Path, column: list[float], said: list[str]) -> None:
    pq.write_table(pa.table({"id": column, "vector": np.eye(4)[:2].tolist()}), tmp_path / "v.parquet")
    manifest = make(classes=("serious", "not"), encoder=ENCODER.to_dict())
    score_file(manifest, probe(1), tmp_path / "v.parquet", tmp_path / "s.parquet", assume_fingerprint=True)
    assert pq.read_table(tmp_path / "s.parquet")["asset_id"].to_pylist() == said


def test_vectors_of_another_width_are_refused_in_words(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", ids=["a"], vectors=np.ones((1, 3)))
    with pytest.raises(UnreadableItem, match=r"3 numbers.*expects 4"):
        score_file(
            make(encoder=ENCODER.to_dict()),
            probe(3),
            tmp_path / "v.npz",
            tmp_path / "s.parquet",
            assume_fingerprint=True,
        )
    assert not (tmp_path / "s.parquet").exists()


def test_scores_follow_a_link_and_go_through_a_pipe(vectors: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    manifest, (path, _) = make(encoder=ENCODER.to_dict()), vectors
    (tmp_path / "link.parquet").symlink_to("real.parquet")
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    for to in ("link.parquet", "pipe"):
        score_file(manifest, probe(3), path, tmp_path / to, fingerprint=ENCODER)
    reader.join(10)
    assert (tmp_path / "link.parquet").is_symlink()
    assert pq.read_table(tmp_path / "real.parquet").num_rows == 90
    assert pq.read_table(pa.BufferReader(got[0])).num_rows == 90
