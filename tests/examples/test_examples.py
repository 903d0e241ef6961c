"""Each example runs as its docstring says, in a process of its own, on a catalog that was just published."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import load
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.demo.prepare import encoder_settings
from attune.labeler.people import tokens
from attune.labeler.records.session import engine
from attune.labeler.sample import write_catalogue
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import read_manifest
from attune.models.catalog.probe_files import read_probe
from attune.models.catalog.pull_probe import pull
from attune.models.catalog.score_vectors import score_file
from attune.models.encoders.fingerprint import Fingerprint
from tests.labeler.catalog import worlds
from tests.support import environments, published

EXAMPLES = Path(__file__).parents[2] / "examples"
README = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
VECTORS = 500


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return published.workspace(tmp_path_factory.mktemp("examples") / "workspace")


@pytest.fixture(scope="module")
def served(settings: Settings) -> Iterator[str]:
    with published.served(settings) as address:
        yield address


def run(name: str, *arguments: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        cwd=EXAMPLES,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def plainly(folder: Path, vectors: Path) -> subprocess.CompletedProcess[str]:
    """What the plain script makes of a file of vectors."""
    command = [sys.executable, "-W", "error", EXAMPLES / "plain_script.py", folder, vectors]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_plain_script_refuses_another_encoder_in_words(settings: Settings, tmp_path: Path) -> None:
    pulled = pull("romance", tmp_path / "romance", url=settings.catalog_address, cache=tmp_path / "cache")
    other = Fingerprint("open_clip", "huge", "cd" * 32, worlds.DIMENSION)
    write_vectors(tmp_path / "mine.parquet", worlds.FINGERPRINT)
    write_vectors(tmp_path / "other.parquet", other)
    ids, x = ["a"], np.eye(1, 1280, dtype=np.float32)
    np.savez(tmp_path / "long.npz", ids=ids, vectors=x)
    np.savez(tmp_path / "said.npz", ids=ids, vectors=x[:, : worlds.DIMENSION], fingerprint=json.dumps(other.to_dict()))
    for name, word in (("other.parquet", "huge"), ("said.npz", "huge"), ("long.npz", "1280")):
        refused = plainly(pulled.folder, tmp_path / name)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert word in refused.stderr
        assert "attune embed" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert len(plainly(pulled.folder, tmp_path / "mine.parquet").stdout.splitlines()) == 11


def test_the_readmes_example_names_a_picture_and_its_probability(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    reader.keep_settings(workspace, **encoder_settings(), device="cpu", redis_port=1, web_port=1)
    drawn = write_catalogue(workspace / "sample-catalogue", 24)
    monkeypatch.setattr(worlds, "FINGERPRINT", load(reader.build({}, workspace=workspace)).fingerprint)
    monkeypatch.setattr(worlds, "DIMENSION", 128)
    monkeypatch.setattr(worlds, "CLASSES", {"serious-expression": ("serious", "not serious")})
    made = worlds.make(workspace)
    worlds.add_run(made, "serious-expression")
    promote(made, Move("serious-expression", "latest", "r", "ana"))
    engine(made.records_url).dispose()
    (block,) = re.findall(r"```\n(export PATH=[^`]*?attune pull serious-expression.*?)```", README, re.DOTALL)
    told = bash(block, tmp_path)
    assert told.returncode == 0, told.stderr
    name, said = told.stdout.splitlines()[-1].split(": ")
    assert (drawn.folder / "images" / name).is_file()
    assert re.fullmatch(r"serious with probability [01]\.\d\d", said)
    x = np.eye(1, 128, dtype=np.float32)
    table = pa.table({"asset_id": ["a"], "vector": list(x)})
    other = json.dumps(Fingerprint("open_clip", "huge", "cd" * 32, 128).to_dict())
    pq.write_table(table.replace_schema_metadata({"attune.fingerprint": other}), tmp_path / "poster.parquet")
    refused = bash("\n".join(line for line in block.splitlines() if not line.startswith("attune ")), tmp_path)
    assert refused.returncode == 1
    assert "of another encoder than the probe" in refused.stderr
    assert "Traceback" not in refused.stderr


def bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A block of the README in a fresh shell, with VENV as `make` would take it."""
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "VENV": sys.prefix}
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_plain_script_ranks_with_a_pulled_probe(settings: Settings, tmp_path: Path) -> None:
    pulled = pull("romance", tmp_path / "romance", url=settings.catalog_address, cache=tmp_path / "cache")
    x = np.eye(worlds.DIMENSION, dtype=np.float32)
    np.savez(tmp_path / "v.npz", ids=[f"i{n}" for n in range(len(x))], vectors=x)
    told = run("plain_script.py", pulled.folder, tmp_path / "v.npz").splitlines()
    assert told[0] == "romance version 1: most likely romance"
    shown = [float(line.split()[0]) for line in told[1:]]
    assert len(shown) == 8
    assert shown == sorted(shown, reverse=True)


@pytest.mark.parametrize("name", ["serious", "romance"])
def test_duckdb_reads_the_catalogs_files_as_they_are(settings: Settings, name: str) -> None:
    told = run("duckdb_features.py", settings.catalog_address, name)
    counts = [int(line.split(":")[1].split()[0]) for line in told.splitlines() if line.startswith("version")]
    assert sum(counts) == 40
    assert "images" in told


@pytest.mark.parametrize("name", ["serious", "romance"])
def test_pandas_reads_files_and_http_alike(settings: Settings, served: str, name: str) -> None:
    folder = next((Path(settings.catalog_address) / "features" / name).iterdir())
    from_files = run("pandas_features.py", folder)
    over_http = run(
        "pandas_features.py",
        f"{served}/api/v1/features/{name}/champion",
        ATTUNE_TOKEN=tokens.issue(settings, f"example {name}"),
    )
    assert from_files == over_http
    assert from_files.startswith("40 assets, classes ")


def write_vectors(path: Path, fingerprint: Fingerprint) -> None:
    x = np.random.default_rng(3).normal(size=(VECTORS, worlds.DIMENSION)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    table = pa.table({"asset_id": [f"a{i}" for i in range(VECTORS)], "vector": list(x)})
    pq.write_table(table.replace_schema_metadata({"attune.fingerprint": json.dumps(fingerprint.to_dict())}), path)


def python_of_ray() -> Path:
    return environments.python_with("ray[data]", "numpy", "pandas", "pyarrow", "safetensors")


@pytest.mark.slow
def test_ray_scores_a_table_as_attune_does_and_refuses_the_vectors_of_another_encoder(
    settings: Settings, tmp_path: Path
) -> None:
    write_vectors(tmp_path / "vectors.parquet", worlds.FINGERPRINT)
    write_vectors(tmp_path / "other.parquet", Fingerprint("open_clip", "huge", "cd" * 32, worlds.DIMENSION))
    calls = []
    for name in ("serious", "romance"):
        pull(name, tmp_path / name, url=settings.catalog_address, cache=tmp_path / "cache")
        calls += [ray_call(name, "other.parquet", "refused"), ray_call(name, "vectors.parquet", f"scores-{name}")]
    # Starting Ray takes ten seconds: all is asked in one process.
    told = environments.run(python_of_ray(), "\n".join(["import runpy, sys", *calls]), tmp_path)
    assert told.count("the probe needs") == 2
    assert not (tmp_path / "refused").exists()
    assert told.count(f"{VECTORS} assets scored") == 2
    for name in ("serious", "romance"):
        compare(tmp_path, name)


def ray_call(*arguments: str) -> str:
    """Python that runs the example with ``arguments``, and prints why it refuses."""
    return f"""
sys.argv[1:] = {list(arguments)!r}
try:
    runpy.run_path({str(EXAMPLES / "ray_score.py")!r}, run_name="__main__")
except SystemExit as refused:
    print(refused)
"""


def compare(folder: Path, name: str) -> None:
    """The scores that Ray wrote are those of ``attune score``."""
    manifest = read_manifest((folder / name / "manifest.json").read_bytes())
    probe = read_probe((folder / name / "probe.safetensors").read_bytes())
    score_file(manifest, probe, folder / "vectors.parquet", folder / f"{name}.parquet")
    ours = pq.read_table(folder / f"{name}.parquet").to_pandas()
    found = pq.read_table(folder / f"scores-{name}").to_pandas()
    both = found.merge(ours, on=["asset_id", "class"], suffixes=("", "_ours"), validate="one_to_one")
    assert len(both) == len(found) == len(ours)
    assert np.abs(both["probability"] - both["probability_ours"]).max() < 1e-5
    assert (both["label"] == both["label_ours"]).all()


def test_every_example_is_run_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*.py") if path.name not in source] == []
