"""Vectors in files: made of images, taken out of the pool, and known again by every command that reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import load
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.cli.main import attune
from attune.labeler.demo.prepare import encoder_settings
from attune.labeler.jobs import jobs
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EncoderMismatch, WeightsUnavailable
from attune.models.vectors.vector_shards import METADATA
from attune.models.vectors.vector_store import VectorStore
from tests.labeler.catalog import worlds
from tests.support.factories import picture

COUNT = 5


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A workspace of the sample's encoder with a champion of ``serious``; five pictures and a bad one beside it."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    sample = reader.build({}, workspace=tmp_path / "none", **encoder_settings(), device="cpu")
    monkeypatch.setattr(worlds, "FINGERPRINT", load(sample).fingerprint)
    monkeypatch.setattr(worlds, "DIMENSION", 128)
    folder = tmp_path / "workspace"
    folder.mkdir()
    reader.keep(folder, **encoder_settings(), device="cpu", embed_batch=2, redis_port=1, web_port=1)
    made = worlds.make(folder)
    worlds.add_run(made, "serious")
    worlds.add_assets(made, 3)
    moved = promote(made, Move("serious", "latest", "r", "ana"))
    jobs.run_here(made, "score", attribute="serious", version=moved.version)
    (tmp_path / "new").mkdir()
    for number in range(COUNT):
        (tmp_path / "new" / f"{number}.jpg").write_bytes(picture(number))
    (tmp_path / "new" / "cut.jpg").write_bytes(picture(1)[:400])
    yield made
    engine(made.records_url).dispose()


def run(*words: str) -> Result:
    return CliRunner().invoke(attune, words)


def found(*words: str) -> Any:
    done = run(*words, "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads(done.stdout)


def scores(path: str) -> dict[str, float]:
    table = pq.read_table(path)
    return dict(zip(table["asset_id"].to_pylist(), table["probability"].to_pylist(), strict=True))


def test_embedding_keeps_the_good_and_names_the_bad(settings: Settings) -> None:
    told = found("embed", "new", "--to", "v.parquet")
    assert told["embedded"] == COUNT
    assert [(item["item"], item["reason"]) for item in told["left_out"]] == [("cut.jpg", "truncated")]
    table = pq.read_table("v.parquet")
    assert table.schema.names == ["asset_id", "vector"]
    assert table.schema.field("vector").type == pa.list_(pa.float16(), 128)
    assert Fingerprint.from_dict(json.loads(table.schema.metadata[METADATA])) == load(settings).fingerprint
    alone = found("embed", "new/3.jpg", "--to", "one.arrow")
    assert alone["embedded"] == 1
    row = table["asset_id"].to_pylist().index("3.jpg")
    mapped = pa.ipc.open_file(pa.memory_map("one.arrow")).read_all()
    assert np.allclose(mapped["vector"][0].as_py(), table["vector"][row].as_py(), atol=2e-3)


def test_scores_of_images_are_those_of_their_vectors(settings: Settings) -> None:
    found("embed", "new", "--to", "v.parquet")
    found("score", "serious", "--vectors", "v.parquet", "--to", "by_vectors.parquet")
    told = found("score", "serious", "--images", "new", "--to", "by_images.parquet")
    assert (told["assets"], len(told["images_left_out"])) == (COUNT, 1)
    assert scores("by_images.parquet") == scores("by_vectors.parquet")
    several = found("score", "serious", "--images", "new/0.jpg", "new/1.jpg", "--to", "two.parquet")
    assert several["assets"] == 2


def test_a_files_own_fingerprint_is_believed_by_assets_add(settings: Settings) -> None:
    found("embed", "new", "--to", "v.parquet")
    told = found("assets", "add", "new", "--vectors", "v.parquet")
    assert (told["added"], told["vectors"]["imported"]) == (COUNT, COUNT)
    fresh = found("assets", "add", "new", "--vectors", "v.parquet", "--workspace", "fresh")
    assert fresh["encoder"] == load(settings).fingerprint.digest
    other = replace(load(settings).fingerprint, model="another")
    Path("other.json").write_text(json.dumps(other.to_dict()))
    refused = run("assets", "add", "new", "--vectors", "v.parquet", "--fingerprint", "other.json")
    assert isinstance(refused.exception, EncoderMismatch)
    engine(f"sqlite:///{Path('fresh').absolute() / 'records.sqlite'}").dispose()


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_the_pools_vectors_come_out_as_they_are(settings: Settings, suffix: str) -> None:
    found("assets", "add", "new/0.jpg")
    found("assets", "remove", "a1")
    told = found("vectors", "export", "--to", f"pool.{suffix}")
    assert told["vectors"] == 3
    found("score", "serious", "--vectors", f"pool.{suffix}", "--to", "s.parquet")
    assert set(scores("s.parquet")) == {"a0", "a2", "0.jpg"}
    path = f"pool.{suffix}"
    table = pq.read_table(path) if suffix == "parquet" else pa.ipc.open_file(pa.memory_map(path)).read_all()
    kept = VectorStore(settings.vectors).read(load(settings).fingerprint)
    matrix = np.concatenate(kept.blocks)
    for id_, vector in zip(table["asset_id"].to_pylist(), table["vector"].to_pylist(), strict=True):
        assert (np.array(vector, dtype=np.float16) == matrix[kept.ids.tolist().index(id_)]).all()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("embed", "new", "--to", "v.csv"), DataError),
        (("vectors", "export", "--to", "v"), DataError),
        (("embed", "nowhere", "--to", "v.parquet"), DataError),
        (("embed", "new", "--to", "v.parquet", "--pretrained", "x"), DataError),
        (("score", "serious", "--to", "s.parquet"), DataError),
        (("score", "serious", "new", "--vectors", "v.parquet", "--to", "s.parquet"), DataError),
        (("score", "serious", "--images", "new", "--vectors", "v.parquet", "--to", "s.parquet"), DataError),
        (("score", "serious", "--images", "new", "--assume-fingerprint", "--to", "s.parquet"), DataError),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_cannot_be_meant_is_refused_and_writes_nothing(
    settings: Settings, words: tuple[str, ...], kind: type[Exception]
) -> None:
    refused = run(*words)
    assert isinstance(refused.exception, kind)
    assert not {path.name for path in Path().iterdir()} - {"new", "workspace"}


def test_images_are_not_scored_by_another_encoder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = replace(load(settings).fingerprint, weights="cd" * 32)
    for encoder, kind in ((strange, WeightsUnavailable), (replace(strange, weights="external:1"), EncoderMismatch)):
        monkeypatch.setattr("attune.labeler.cli.score.Fingerprint.from_dict", lambda value, made=encoder: made)
        refused = run("score", "serious", "--images", "new", "--to", "s.parquet")
        assert isinstance(refused.exception, kind)
        assert "attune" in str(refused.exception) or "--vectors" in str(refused.exception)
        assert not Path("s.parquet").exists()


def test_a_probes_encoder_is_found_whatever_the_settings_name(settings: Settings) -> None:
    reader.keep(settings.workspace, encoder="ViT-B-32", pretrained="laion2b_s34b_b79k", resize_mode="longest")
    told = found("score", "serious", "--images", "new", "--to", "s.parquet")
    assert told["assets"] == COUNT
