"""One-way doors: models <- labeler <- workers, light starts, and names that resolve."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune.labeler.cli.main import COMMANDS
from attune.labeler.jobs.jobs import KINDS, QUEUES
from attune.models import errors
from attune.models.errors import CONSEQUENCES, AttuneError, consequence

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {"models": {"models"}, "labeler": {"models", "labeler"}, "workers": {"models", "labeler", "workers"}}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} uses a relative import"
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_run_one_way(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        wrong = set(imports(path)) & set(ALLOWED) - ALLOWED[package]
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_nothing_above_imports_the_benchmarks_or_tests() -> None:
    for package in ALLOWED:
        for path in (ROOT / package).rglob("*.py"):
            assert not {"tests", "benchmarks", "examples"} & set(imports(path)), path


@pytest.mark.parametrize(
    "module",
    [
        "attune.labeler.web.app",
        "attune.labeler.cli.main",
        "attune.labeler.jobs.jobs",
        "attune.models.catalog.pull_probe",
        "attune.models.probes.learner",
    ],
)
def test_starts_without_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit(1 if {{'torch', 'open_clip'}} & set(sys.modules) else 0)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, cwd=ROOT).returncode == 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_job_is_there(kind: str) -> None:
    name, queue = KINDS[kind]
    module, _, function = name.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    assert queue in QUEUES


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there_with_help(command: str) -> None:
    module, _, name = COMMANDS[command].partition(":")
    found = getattr(importlib.import_module(module), name or "command")
    assert found.help, f"`attune {command}` has no help text"
    for sub in getattr(found, "commands", {}).values():
        assert sub.help, f"`attune {command} {sub.name}` has no help text"
        assert {"workspace", "as_json"} <= {option.name for option in sub.params}


def tree(kind: type[AttuneError]) -> Iterator[type[AttuneError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


@pytest.mark.parametrize("kind", list(tree(AttuneError)), ids=lambda kind: kind.__name__)
def test_every_error_says_what_it_means_outside(kind: type[AttuneError]) -> None:
    row = consequence(kind)
    assert 400 <= row.status < 600
    assert row.exit_code != 0
    assert kind.__doc__
    assert kind.__module__ == errors.__name__, "errors are kept in one tree"
    assert kind in CONSEQUENCES or consequence(kind) == consequence(kind.__mro__[1])
