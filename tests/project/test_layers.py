"""One-way doors: models <- labeler <- workers, light starts, and names that resolve."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from attune.labeler.cli.commands import COMMANDS
from attune.labeler.jobs.jobs import KINDS, QUEUES
from attune.models import errors
from attune.models.errors import CONSEQUENCES, AttuneError, consequence
from benchmarks import house_counts

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {"models": {"models"}, "labeler": {"models", "labeler"}, "workers": {"models", "labeler", "workers"}}
# Names of modules that are handed to `python -m` or to rq: only what starts processes or asks for jobs holds them.
NAMED = re.compile(r"attune\.(labeler|workers|models)(\.\w+)+(:\w+)?")
# What has to be read as Python, which takes twenty times as long, to tell whether it imports a package of ours by its
# bare name, or by a dot.
BARE = re.compile(rf"\bfrom +\.|\b(?:from|import)\b.*(?<![\w.])(?:{'|'.join(ALLOWED)})\b")


@cache
def sources(package: str) -> list[Path]:
    return [path for path in (ROOT / package).rglob("*.py") if path.parent.name != "django"]


@cache
def modules() -> dict[str, house_counts.Source]:
    """The modules by name, each read once for all tests here: to parse them takes seconds."""
    return house_counts.read(ROOT)[0]


@cache
def trees() -> dict[Path, ast.Module]:
    return {ROOT / source.path: source.tree for source in modules().values()}


@cache
def nodes(path: Path) -> list[ast.AST]:
    """What the tests below look at; several ask for each module."""
    kept = (ast.Import, ast.ImportFrom, ast.Constant)
    return [node for node in ast.walk(trees().get(path) or ast.parse(path.read_text())) if isinstance(node, kept)]


def imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top(name: str) -> str:
    """``labeler`` of ``attune.labeler.settings``; the first word of any other name."""
    first, _, rest = name.partition(".")
    return rest.partition(".")[0] if first == "attune" else first


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_run_one_way(package: str) -> None:
    for path in sources(package):
        wrong = {top(name) for name in imports(path) if name.startswith("attune.")} & set(ALLOWED) - ALLOWED[package]
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("folder", [*ALLOWED, "tests", "benchmarks", "examples"])
def test_attune_is_the_only_name_that_our_code_is_imported_by(folder: str) -> None:
    for path in sources(folder):
        bare = bare_names(path)
        assert not bare, f"{path.relative_to(ROOT)} imports {bare}: write attune. before it"


def bare_names(path: Path) -> set[str]:
    """What ``path`` imports of ours without ``attune.``."""
    if not BARE.search(path.read_text()):
        return set()
    return {name for name in imports(path) if name.partition(".")[0] in ALLOWED}


def test_a_bare_name_is_found_wherever_it_stands_and_not_in_a_text(tmp_path: Path) -> None:
    path = tmp_path / "first.py"
    path.write_text("import json, models\nx = 1; import labeler\nif x:\n    from workers.jobs import learn\n")
    assert bare_names(path) == {"models", "labeler", "workers.jobs.learn"}
    path = tmp_path / "second.py"
    path.write_text('"""\nfrom models that are there\n"""\nfrom attune.labeler import models\n')
    assert bare_names(path) == set()
    path = tmp_path / "third.py"
    path.write_text("from . import here\n")
    with pytest.raises(AssertionError, match="relative import"):
        bare_names(path)


@pytest.mark.parametrize("package", ALLOWED)
def test_names_in_strings_are_modules_that_are_there(package: str) -> None:
    for path in sources(package):
        for node in nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAMED.fullmatch(node.value):
                module, _, function = node.value.partition(":")
                found = importlib.import_module(module.removesuffix(".perform"))
                assert not function or callable(getattr(found, function)), (path, node.value)


def test_nothing_above_imports_the_benchmarks_or_tests() -> None:
    for package in ALLOWED:
        for path in sources(package):
            assert not {"tests", "benchmarks", "examples"} & {top(name) for name in imports(path)}, path


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert not house_counts.circles(modules(), house_counts.INSIDE)  # also inside functions, and for types alone


def test_only_views_web_and_cli_import_views() -> None:
    shows = tuple(str(ROOT / "labeler" / room) for room in ("views", "web", "cli"))
    for path in (path for package in ALLOWED for path in sources(package) if not str(path).startswith(shows)):
        found = {name for name in imports(path) if name.startswith("attune.labeler.views")}
        assert not found, f"{path.relative_to(ROOT)} imports {found}: what it needs of it belongs in the domain"


def test_only_models_holds_modules_outside_its_rooms_and_only_a_few() -> None:
    def loose(folder: str) -> set[str]:
        return {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__"}

    assert loose("labeler") == loose("workers") == set()
    assert loose("models") == {"clock", "errors", "reasons", "text", "threads"}


# A process each: what is not loaded after the last of its modules, none of them has loaded. First of each is what other
# people's programs import, as a circle of imports shows only where it is entered; every test of pages, of commands and
# of workers enters by one of the others.
STARTS = (
    ("attune.models.probes.learner", "attune.labeler.web.app", "attune.labeler.cli.main", "attune.labeler.jobs.jobs"),
    ("attune.models.catalog.pull_probe",),
)
STARTED = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
    assert not {'torch', 'open_clip'} & set(sys.modules), module
"""


@pytest.mark.parametrize("modules", STARTS, ids=lambda some: some[0])
def test_what_is_waited_for_starts_without_torch(modules: Sequence[str]) -> None:
    command = [sys.executable, "-W", "ignore", "-c", STARTED, *modules]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_nothing_loads_torch_for_tests_to_be_collected() -> None:
    """Each process imports every module of tests, and torch with open_clip costs it five seconds."""
    loads = re.compile(r"^(import|from) (torch|torchvision|open_clip)\b", re.MULTILINE)
    asked = [path for path in sources("tests") if path.name == "conftest.py" or path.name.startswith("test_")]
    assert len(asked) > 300
    assert not [str(path) for path in asked if loads.search(path.read_text())], "import it in the tests that use it"


@pytest.mark.parametrize("kind", KINDS)
def test_every_job_is_there(kind: str) -> None:
    name, queue = KINDS[kind]
    module, _, function = name.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    assert queue in QUEUES


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there_with_help(command: str) -> None:
    found = COMMANDS[command].load()
    assert found.help, f"`attune {command}` has no help text"
    assert found.get_short_help_str(limit=1000) == COMMANDS[command].about, "labeler/cli/commands.py says it otherwise"
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
