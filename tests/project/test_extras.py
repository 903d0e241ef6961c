"""The core alone pulls, scores and asks a running Attune; whatever else is called says which extra to install."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from attune.models.reasons import EXTRAS, missing_extra

ROOT = Path(__file__).resolve().parents[2]
PROBE = ROOT / "tests" / "data" / "probe-v1" / "romance"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# A process in which nothing that only an extra brings can be imported.
CORE = f"""
import sys
class Core:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{*{sorted(name for names in EXTRAS.values() for name in names)!r}, "pandas"}}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Core())
"""
SCORE = f"""
import numpy as np
import attune
probe = attune.load_probe({str(PROBE)!r})
np.savez("x.npz", ids=np.array(["a", "b"]), vectors=np.eye(probe.dimension)[:2])
print(attune.score(probe, "x.npz", to="p.parquet", assume_fingerprint=True).rows)
attune.pull, attune.connect("http://127.0.0.1:8700"), attune.Pool, attune.__version__
for use in ("attune.fit", "attune.evaluate", "attune.load_encoder('labeler/sample/encoder')"):
    try:
        eval(use)
    except attune.AttuneError as error:
        assert isinstance(error, ImportError)
        print(error)
"""


def core(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CORE + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def attune(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return core(
        "import json\nfrom attune.labeler.cli.main import main\nmain(json.loads(sys.argv[1]))",
        folder,
        json.dumps(words),
    )


def test_the_core_loads_scores_and_names_the_extra_of_what_it_lacks(tmp_path: Path) -> None:
    done = core(SCORE, tmp_path)
    assert done.returncode == 0, done.stderr
    rows, fit, evaluate, encoder = done.stdout.splitlines()
    assert rows == "6"
    assert ".whl[learn]" in fit
    assert ".whl[learn]" in evaluate
    assert ".whl[encoder]" in encoder


def test_the_core_pulls_and_scores_by_command(tmp_path: Path) -> None:
    for words in (("--help",), ("--version",), ("pull", "--help"), ("score", "--help")):
        done = attune(tmp_path, *words)
        assert (done.returncode, done.stderr) == (0, ""), words
    offline = attune(tmp_path, "pull", "romance", "--to", "probe", "--offline")
    assert (offline.returncode, offline.stdout) == (7, "")
    assert "Traceback" not in offline.stderr
    assert "extra" not in offline.stderr


@pytest.mark.parametrize("words", [("up",), ("assets", "list"), ("embed", "x.jpg", "--to", "x.parquet"), ("doctor",)])
def test_a_command_of_the_server_says_what_to_install(words: tuple[str, ...], tmp_path: Path) -> None:
    done = attune(tmp_path, *words)
    assert done.returncode == 1
    assert ".whl[server]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_table_of_imported_names_is_that_of_pyproject() -> None:
    names: dict[str, set[str]] = {}
    for imported, packages in importlib.metadata.packages_distributions().items():
        for package in packages:
            names.setdefault(canonicalize_name(package), set()).add(imported)
    for extra, table in EXTRAS.items():
        wanted = [Requirement(line).name for line in PROJECT["optional-dependencies"][extra]]
        packages = [name for name in wanted if name != PROJECT["name"]]
        found = [set(table) & names[canonicalize_name(name)] for name in packages]
        assert all(len(one) == 1 for one in found), extra
        assert len(table) == len(packages)
    assert missing_extra(ModuleNotFoundError("x", name="attune.nothing")) == ""
    assert ".whl[learn]" in missing_extra(ModuleNotFoundError("x", name="scipy.stats"))


def test_the_image_and_the_tests_install_every_part() -> None:
    """They install the lock, so the lock must have been made of all extras that Attune runs on. Ray is
    large, and an image for several machines adds it.
    """
    made_of = re.findall(r'"(server|postgres|remote|traces)"', (ROOT / "tests" / "project" / "locks.py").read_text())
    assert set(made_of) == set(EXTRAS) - {"learn", "encoder", "ray"}
    assert "attune[encoder,learn]" in PROJECT["optional-dependencies"]["server"]
