"""Each example runs as its docstring says, in a process of its own, on a catalog that was just published."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import waitress

from labeler import jobs, tokens
from labeler.catalog.promote import promote
from labeler.settings import Settings
from labeler.web.app import create_app
from models.pull import pull
from tests.labeler.catalog import worlds

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = worlds.filled(tmp_path_factory.mktemp("examples") / "workspace")
    worlds.add_assets(made, 40)
    for name in ("serious", "romance"):
        moved = promote(made, name, "latest", "r", "ana")
        jobs.run_here(made, "score", attribute=name, version=moved.version)
    return made


@pytest.fixture(scope="module")
def served(settings: Settings) -> Iterator[str]:
    server = waitress.create_server(create_app(settings), host="127.0.0.1", port=0)
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    running.join(timeout=10)


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


def test_every_example_is_run_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*.py") if path.name not in source] == []
