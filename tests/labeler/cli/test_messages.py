"""Laws that every message keeps: the commands that it names exist, and an error names its value and ends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from attune.labeler.cli.main import attune
from tests.labeler.cli import bad_inputs

ROOT = Path(__file__).parents[3]
ROOMS = ("labeler", "workers", "models")
COMMAND = re.compile(r"`((?:[A-Z_]+=\S+ )*attune( [^`]*)?)`")
PLACE = " PLACE "  # stands for a value that the message fills in
# Here nothing was typed, or not what was typed is at fault.
NAMELESS = {
    "attune assets add",
    "attune insights run",
    "attune insights goes-with",
    "attune demo",
    "attune assets add pictures",
    "attune assets add pictures --vectors others.npz",
}


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Every text in a file of the code, a slot as PLACE, with the file and the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else PLACE for part in node.values)
            yield f"{path.relative_to(ROOT)}:{node.lineno}", "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


@pytest.mark.parametrize("room", ROOMS)
def test_a_command_that_a_message_names_exists_with_its_options(room: str) -> None:
    texts = [one for path in sorted((ROOT / room).rglob("*.py")) for one in _texts(path)]
    named = sorted({(where, text) for where, whole in texts for text, _ in COMMAND.findall(whole)})
    assert named
    assert not [f"{where}: {text}" for where, text in named if not _exists(text)]


def _exists(text: str) -> bool:
    """Whether there is such a command, and it has the options that ``text`` gives it."""
    words = text[text.index("attune") :].split()[1:]
    found: click.Command = attune
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        if words[0] in {"…", PLACE.strip()}:
            return True
        inner = found.get_command(click.Context(found), words.pop(0))
        if inner is None:
            return False
        found = inner
    known = {name for one in found.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    return {word.partition("=")[0] for word in words if word.startswith("--")} <= known


SAID = re.findall(
    r"^`([^\n]+)` \(exit code (\d+)\)\n\n```\n(.*?)\n```$", bad_inputs.PAGE.read_text(), re.MULTILINE | re.DOTALL
)
REFUSED = [(typed, said) for typed, code, said in SAID if code != "0"]


@pytest.mark.parametrize(("typed", "said"), REFUSED, ids=lambda value: str(value)[-60:])
def test_a_refusal_names_its_value_and_ends_with_a_full_stop_or_a_command(typed: str, said: str) -> None:
    assert said[-1] in ".`" or re.search(r"--[a-z-]+ [\w=:.-]+$", said)
    last = typed.rpartition(" && ")[2]
    values = [word for word in re.split(r"[ =,()@]", last) if word]
    named = [value for value in values[1:] if value in re.split("attune: |Error: ", said)[-1]]
    assert named or last in NAMELESS
