"""Counts of how the tree is built: loose modules, circles, doubled names, long modules and functions, start-up seconds.

    python -m benchmarks.house_counts ROOT --python ROOT/.venv/bin/python --json OUT

Reads the sources, whether their import names are ``labeler`` ... or ``attune.labeler`` ...; only the start-up seconds
run ROOT's own code, with ROOT's own Python. Importing a module stands for importing it alone, not its packages above.

``labeler/label_studio/django`` (it runs in Label Studio's environment) and the migrations' versions are left out, as
ruff and mypy leave them out; their lines are stated. Of all else the Python files are counted, no templates.
"""

from __future__ import annotations

import ast
import io
import json
import os
import re
import resource
import statistics
import subprocess
import tokenize
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from benchmarks.machine import machine

PACKAGES = ("labeler", "workers", "models")
LEFT_OUT = ("labeler/label_studio/django/", "labeler/records/migrations/versions/")
VIEWS = "labeler/views/"
SHOWN = (VIEWS, "labeler/web/pages/", "labeler/web/api/", "labeler/cli/")  # a noun may appear in each
MAY_IMPORT_VIEWS = (VIEWS, "labeler/web/", "labeler/cli/")
DOTTED = re.compile(r"(?:attune\.)?(?:labeler|workers|models)(?:\.\w+)+(?::\w+)?")
BAGS = ("dict[str, Any]", "Mapping[str, Any]")
MODULE_LINES, FUNCTION_LINES, PARAMETERS, RUNS = (250, 300), 40, 8, 7
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
HOLDS_DOC = ast.Module | ast.ClassDef | FUNCTION
TOP, INSIDE, DOTTED_STRING = range(3)  # when an import happens: with the module, later, by a name in a string


@dataclass
class Source:
    """A Python file: ``path`` below the root, ``name`` as modules import it but without ``attune.``."""

    path: str
    name: str
    text: str
    tree: ast.Module
    imports: dict[str, int] = field(default_factory=dict)  # module -> the earliest of TOP, INSIDE, DOTTED_STRING


def read(root: Path) -> tuple[dict[str, Source], list[str]]:
    """The sources by name, with what each imports, and the lines that are left out. Links are not followed."""
    found, left_out = {}, []
    for package in ("attune", *PACKAGES):
        for path in sorted((root / package).rglob("*.py")):
            place = path.relative_to(root).as_posix()
            name = place.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            text = path.read_text(encoding="utf-8")
            if place.startswith(LEFT_OUT):
                left_out += text.splitlines()
            else:
                found[name] = Source(place, name, text, ast.parse(text))
    for source in found.values():
        for name, when in names_in(source):
            target = resolve(name, found)
            if target and target != source.name:
                source.imports[target] = min(when, source.imports.get(target, when))
    return found, left_out


def names_in(source: Source) -> Iterator[tuple[str, int]]:
    """Every dotted name that the module imports or holds as a string, and when."""
    waiting: list[tuple[ast.AST, int]] = [(source.tree, TOP)]
    while waiting:
        node, when = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, when) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = source.name.split(".") + ["__init__"] * source.path.endswith("__init__.py")
            base = ".".join([*(above[: -node.level] if node.level else []), *([node.module] if node.module else [])])
            yield from ((f"{base}.{alias.name}", when) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and DOTTED.fullmatch(node.value):
            yield node.value.partition(":")[0], DOTTED_STRING
        if isinstance(node, FUNCTION) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            when = INSIDE
        waiting += [(child, when) for child in ast.iter_child_nodes(node)]


def resolve(name: str, modules: Mapping[str, Source]) -> str | None:
    """The module that ``name`` is in, or None where it is none of ours."""
    if name.startswith("attune.") and name.split(".")[1] in PACKAGES:
        name = name.removeprefix("attune.")
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def circles(modules: Mapping[str, Source], until: int) -> list[str]:
    """The groups of modules that import each other, by imports no later than ``until``."""
    names, edges = sorted(modules), []
    for source in modules.values():
        edges += [(source.name, target) for target, when in source.imports.items() if when <= until]
    rows, columns = ([names.index(edge[side]) for edge in edges] for side in (0, 1))
    graph = csr_array(([1] * len(edges), (rows, columns)), shape=(len(names), len(names)))
    groups = defaultdict(list)
    for name, group in zip(names, connected_components(graph, connection="strong")[1], strict=True):
        groups[group].append(name)
    return sorted(f"{len(group)}: {' '.join(group)}" for group in groups.values() if len(group) > 1)


def doubled(modules: Mapping[str, Source]) -> dict[str, list[str]]:
    """The files of each name that several share; every package has an ``__init__``, and ``__main__`` is Python's."""
    files = defaultdict(list)
    for source in modules.values():
        files[Path(source.path).name].append(source.path)
    return {name: files[name] for name in sorted(files) if len(files[name]) > 1 and not name.startswith("__")}


def one_noun(places: Sequence[str]) -> bool:
    """Whether the files lie as a noun, its view, page, command and API description do: at most one in each place."""
    rooms = [next((room for room in SHOWN if place.startswith(room)), "") for place in places]
    return len(set(rooms)) == len(rooms)


def functions(source: Source) -> Iterator[tuple[str, int, int]]:
    """Where each function is, its lines from ``def`` to the end, and its parameters (``self`` and ``cls`` apart)."""
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTION):
            given = node.args
            names = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
            count = len([name for name in names if name.arg not in ("self", "cls")])
            command = any("command(" in ast.unparse(decorator) for decorator in node.decorator_list)
            where = f"{source.path}:{node.lineno} {node.name}{' (command)' * command}"
            yield where, (node.end_lineno or node.lineno) - node.lineno + 1, count


def code_lines(source: Source) -> tuple[int, int]:
    """Lines that are neither blank nor a comment: all, and those in docstrings."""
    lines, held, docs = source.text.splitlines(), set(), set()
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type not in NO_CODE:
            held |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(source.tree):
        if isinstance(node, HOLDS_DOC) and ast.get_docstring(node) is not None:
            docs |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    blank = {number for number, line in enumerate(lines, 1) if not line.strip()}
    return len(held - blank), len(docs - blank)


def listed(modules: Mapping[str, Source]) -> Iterator[tuple[str, list[str]]]:
    """What is counted by name, and where it is."""
    sources = list(modules.values())
    yield "modules", [s.path for s in sources]
    loose = [s.path for s in sources if s.path.count("/") == 1 and not s.path.endswith("__init__.py")]
    for package in PACKAGES:
        yield f"loose modules in {package}", [place for place in loose if place.startswith(f"{package}/")]
    for when, name in enumerate(("at the top", "also inside functions or for types", "also by dotted strings")):
        yield f"circles of imports: {name}", circles(modules, when)
    shared = {file: " ".join(places) for file, places in doubled(modules).items()}
    yield "files that share a basename", " ".join(shared.values()).split()
    yield "doubled basenames", [": ".join(row) for row in shared.items()]
    nouns = [row for row in shared.items() if one_noun(row[1].split())]
    yield "... as a noun and its view, page, command, API", [": ".join(row) for row in nouns]
    yield "... others", [": ".join(row) for row in shared.items() if row not in nouns]
    folders = {s.name.rpartition(".")[2] for s in sources if s.path.endswith("__init__.py")}
    yield "modules with a folder's name", [s.path for s in sources if Path(s.path).stem in folders]
    long = [(s.path, len(s.text.splitlines())) for s in sources]
    for limit in MODULE_LINES:
        yield f"modules over {limit} lines", [f"{place}: {n}" for place, n in long if n > limit]
    known = [row for s in sources for row in functions(s)]
    yield f"functions over {FUNCTION_LINES} lines", [f"{w}: {n}" for w, n, _ in known if n > FUNCTION_LINES]
    many = [f"{w}: {n}" for w, _, n in known if n > PARAMETERS]
    yield f"functions with over {PARAMETERS} parameters", many
    yield "... of these, commands", [row for row in many if "(command)" in row]
    for bag in BAGS:
        yield bag, [s.path for s in sources for _ in range(s.text.count(bag))]
    views = [(s.path, target) for s in sources for target in s.imports if modules[target].path.startswith(VIEWS)]
    yield "views imported from outside", [f"{p} <- {t}" for p, t in views if not p.startswith(MAY_IMPORT_VIEWS)]


def counts(root: Path) -> dict[str, dict[str, Any]]:
    """Each count by name: ``count``, and ``where`` what is counted."""
    modules, left_out = read(root)
    found = {name: {"count": len(where), "where": where} for name, where in listed(modules)}
    lines = [(s.path.split("/")[0], *code_lines(s)) for s in modules.values()]
    for package in ("attune", *PACKAGES):
        found[f"lines of code in {package}"] = {"count": sum(n for room, n, _ in lines if room == package)}
    found["lines of code"] = {"count": sum(n for _, n, _ in lines)}
    found["lines of code without docstrings"] = {"count": sum(n - docs for _, n, docs in lines)}
    return found | {"lines left out": {"count": len(left_out), "where": [*LEFT_OUT]}}


def seconds(root: Path, python: Path) -> dict[str, Any]:
    """Processor seconds (user and system) of each start, after one that is not counted: bytecode is written by then."""
    script = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]["attune"]
    module, _, function = script.partition(":")
    package = "attune" if (root / "attune" / "__init__.py").exists() else module
    starts = {
        "attune --help": f"import sys; from {module} import {function}; sys.argv = ['attune', '--help']; {function}()",
        "import attune": f"import {package}",
        "nothing": "pass",
    }
    found: dict[str, Any] = {"measured": {"runs": RUNS, "machine": machine(), "load_before": os.getloadavg()}}
    for name, code in starts.items():
        spent = [_spent([str(python), "-c", code], root) for _ in range(RUNS + 1)][1:]
        found[name] = {"min": round(min(spent), 3), "median": round(statistics.median(spent), 3), "code": code}
    found["measured"]["load_after"] = os.getloadavg()
    return found


def _spent(command: list[str], root: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@click.command()
@click.argument("root", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--python", type=click.Path(exists=True, path_type=Path), help="ROOT's Python; without it no seconds.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Write everything here.")
def main(root: Path, python: Path | None, out: Path | None) -> None:
    """Count the tree at ROOT."""
    found = counts(root)
    clocked = seconds(root, Path(os.path.abspath(python))) if python else {}
    table = Table("what", "count")
    for name, row in found.items():
        table.add_row(escape(name), f"{row['count']:,}")
    for name, row in clocked.items():
        if name != "measured":
            table.add_row(f"processor seconds: {name}", f"{row['min']} (median {row['median']})")
    Console().print(table)
    if out:
        out.write_text(json.dumps({"counts": found, "seconds": clocked}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
