"""Every command of Attune in the pages is one that Attune has, with options that it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from attune.labeler.cli.main import attune
from attune.labeler.settings.build import _FOREIGN
from attune.labeler.settings.table import Settings, variable
from tests.docs import pages
from tests.docs.pages import ROOT, name_of

# Generated from the code, full of commands that are meant to fail, or of times past.
OTHERS = {"docs/reference/bad-inputs.md", "docs/reference/commands.md", "CHANGELOG.md"}
PAGES = [page for page in pages.pages() if name_of(page) not in OTHERS]
ENDS = {"|", "&&", ";", ">", "2>&1", "&"}
UNFINISHED = re.compile(r"…|\.\.\.|\||\[")  # a span of text that names a command, and not a line to type


def wrong_with(words: list[str], whole: bool) -> str:
    """What click would say of ``words`` after `attune`; nothing where it would run. ``whole``: nothing is left out."""
    words = words[: next((place for place, word in enumerate(words) if word in ENDS), len(words))]
    context, command = click.Context(attune, info_name="attune"), attune
    try:
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0])
            if found is None:
                return f"no command {words[0]!r}"
            context, command = click.Context(found, parent=context, info_name=words[0]), found  # type: ignore[assignment]
            words = words[1:]
        if isinstance(command, click.Group) and not (command.invoke_without_command and words):
            return "" if not whole or words in (["--help"], ["--version"]) else "a group is no command"
        given, rest, _ = command.make_parser(context).parse_args(list(words))
    except click.BadOptionUsage as error:
        return error.format_message() if whole else ""  # a sentence may name an option without its value
    except click.UsageError as error:
        return error.format_message()
    if rest:
        return f"too many words: {rest}"
    if not whole:
        return ""
    lacking = [one.name for one in command.params if one.required and not _is_given(given.get(one.name))]
    odd = [
        f"{one.name}={given[one.name]}"
        for one in command.params
        if isinstance(one.type, click.Choice)
        and isinstance(given.get(one.name), str)
        and given[one.name] not in one.type.choices
    ]
    return f"lacks {lacking}" if lacking else f"no such choice: {odd}" if odd else ""


def _is_given(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list | tuple) and bool(value))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_in_a_block_would_run(page: Path) -> None:
    found = [
        words
        for language, text in pages.blocks(page)
        if language in {"", "sh", "bash"}
        for words in pages.shell_commands(text)
    ]
    wrong = [f"attune {shlex.join(words)}: {why}" for words in found if (why := wrong_with(words, whole=True))]
    assert wrong == [], (
        f"{name_of(page)} has commands that Attune does not have. `attune COMMAND --help` shows its options"
    )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_in_a_sentence_is_there(page: Path) -> None:
    wrong = []
    for span in re.findall(r"`attune ([^`\n]+)`", pages.prose(page)):
        words = re.split(r"…|\.\.\.", span)[0]
        if UNFINISHED.search(words) is None and (why := wrong_with(shlex.split(words), whole=False)):
            wrong.append(f"attune {span}: {why}")
    assert wrong == [], f"{name_of(page)} names commands that Attune does not have"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_setting_that_a_page_names_is_one(page: Path) -> None:
    known = {variable(name) for name in Settings.__dataclass_fields__} | _FOREIGN
    known |= {word for path in (ROOT / "docker-compose.yml", ROOT / "Makefile") for word in _variables(path)}
    assert _variables(page) - known - {"ATTUNE_"} == set(), f"{name_of(page)} names settings that Attune does not have"


def _variables(path: Path) -> set[str]:
    return set(re.findall(r"(?<![A-Z_])ATTUNE_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))


def test_a_mistyped_command_is_found() -> None:
    assert wrong_with(["probes", "promot", "x"], whole=False)
    assert wrong_with(["probes", "list", "x", "--all"], whole=False)
    assert wrong_with(["pull", "x"], whole=True)
    assert wrong_with(["user", "add", "mo@studio.example", "--role", "king"], whole=True)
    assert not wrong_with(["pull", "x", "--to", "./probe"], whole=True)
