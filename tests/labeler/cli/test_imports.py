"""What the command loads before it knows that it is needed: a list or a help must not wait for the whole of Attune."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from attune.labeler.cli.commands import COMMANDS

LARGE = {"torch", "open_clip", "sklearn", "scipy.stats", "onnxruntime", "label_studio_sdk", "crowdkit", "modAL"}
RECORDS = {"sqlalchemy", "alembic", "redis", "rq", "numpy", "scipy", "pyarrow", "pandas", "PIL", "requests", "rich"}
CODE = """
import json, sys
from attune.labeler.cli.main import run
code = run(json.loads(sys.argv[1]))
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
EACH = """
import json, sys
from attune.labeler.cli.main import run
large, loaded_by = set(json.loads(sys.argv[2])), {}
for command in json.loads(sys.argv[1]):
    before = large & set(sys.modules)
    code = run([command, "--help"])
    assert code == 0, (command, code)
    loaded_by[command] = sorted(large & set(sys.modules) - before)
print(json.dumps(loaded_by), file=sys.stderr)
"""


def loaded(folder: Path, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(words)], capture_output=True, text=True, check=True, cwd=folder
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("pull", "--help"), ("score", "--help")], ids=" ".join)
def test_lists_and_a_pipelines_help_load_nothing_of_the_records_or_the_science(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    assert not (LARGE | RECORDS) & loaded(tmp_path, *words)


def test_the_list_of_commands_imports_none_of_them(tmp_path: Path) -> None:
    modules = loaded(tmp_path, "--help")
    assert not {f"attune.labeler.cli.{one.module}" for one in COMMANDS.values()} & modules


@pytest.fixture(scope="module")
def loaded_by(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Command -> what of LARGE its help was the first to load, all asked in one process: what is loaded stays so."""
    asked = subprocess.run(
        [sys.executable, "-c", EACH, json.dumps(list(COMMANDS)), json.dumps(sorted(LARGE))],
        capture_output=True, text=True, check=True, cwd=tmp_path_factory.mktemp("helps"),
    )  # fmt: skip
    return {command: set(large) for command, large in json.loads(asked.stderr.splitlines()[-1]).items()}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_no_commands_help_waits_for_what_only_its_work_needs(command: str, loaded_by: dict[str, set[str]]) -> None:
    assert not loaded_by[command]
