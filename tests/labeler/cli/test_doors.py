"""What a newcomer meets: help with examples, near names, a mistyped workspace, tables in a narrow terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import requests
from click.testing import CliRunner, Result

from attune.labeler.cli import demo as cli_demo
from attune.labeler.cli.commands import COMMANDS
from attune.labeler.cli.main import NEIGHBOURS, attune
from attune.labeler.cli.text_tables import table
from attune.labeler.cli.up import first_steps
from attune.labeler.cli.workspace_check import MAKERS
from attune.labeler.records.session import engine
from attune.models.errors import ServiceDown, SettingsError
from tests.support import factories


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


LEAVES = dict(leaves(attune))


def run(*words: str) -> Result:
    return CliRunner().invoke(attune, words)


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_help_says_what_each_option_is_for_and_ends_with_an_example_that_parses(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = LEAVES[path]
    assert command.help
    unexplained = [one.name for one in command.params if isinstance(one, click.Option) and not one.help]
    assert not unexplained, f"{' '.join(path)}: options without help"
    _, _, example = (command.epilog or "").partition("For example:\n")
    assert example, f"`attune {' '.join(path)}` shows no example: give attune_command one"
    words = shlex.split(example.replace("\\\n", " "))
    monkeypatch.chdir(tmp_path)
    for word in words:
        if Path(word).suffix and "@" not in word:
            Path(word).touch()  # some commands look whether a file is there
    assert tuple(words[: 1 + len(path)]) == ("attune", *path)
    with command.make_context(path[-1], words[1 + len(path) :]) as context:
        assert "workspace" in context.params
        assert "as_json" in context.params


def test_the_list_of_commands_is_whole_in_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for words in ((), ("assets",), ("probes",)):
        shown = run(*words).output
        assert "..." not in shown.partition("Commands:")[2]
        assert max(map(len, shown.splitlines())) <= 80
    assert "First steps" in run().output


def test_what_newcomers_type_leads_to_a_command() -> None:
    assert set(NEIGHBOURS.values()) <= set(COMMANDS)
    assert "Did you mean `attune assets`?" in run("asets").output
    assert "Did you mean `attune up`?" in run("start").output
    assert "Did you mean 'list'?" in run("assets", "lst").output


def test_the_shell_completes_commands() -> None:
    environment = os.environ | {"_ATTUNE_COMPLETE": "bash_complete", "COMP_WORDS": "attune pro", "COMP_CWORD": "1"}
    command = "import sys; from attune.labeler.cli.main import main; sys.argv = ['attune']; main()"
    done = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "plain,probes\n"


@pytest.mark.parametrize(
    "words",
    [
        ("assets", "list"),
        ("attribute", "list"),
        ("expert", "list"),
        ("user", "list"),
        ("token", "list"),
        ("learn", "serious"),
        ("sync",),
        ("probes", "list"),
        ("probes", "heal"),
    ],
    ids=" ".join,
)
def test_a_mistyped_workspace_is_refused_and_not_made(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "records.sqlite").touch()
    done = run(*words, "--workspace", str(tmp_path / "workspce"))
    assert isinstance(done.exception, SettingsError)
    assert f"Did you mean --workspace {tmp_path / 'workspace'}?" in str(done.exception)
    assert "attune up --workspace" in str(done.exception)
    assert not (tmp_path / "workspce").exists()


STARTERS = ("up", "demo")  # they start programs


@pytest.mark.parametrize("path", [path for path in LEAVES if path[0] not in STARTERS], ids=" ".join)
def test_only_the_makers_make_a_workspace(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("ATTUNE_OFFLINE", "yes")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "0.jpg").write_bytes(factories.picture(0))
    np.savez("v.npz", ids=["0.jpg"], vectors=np.eye(1, 4))
    _, _, example = (LEAVES[path].epilog or "").partition("For example:\n")
    words = shlex.split(example.replace("\\\n", " "))[1:]
    words = ["assets", "add", "p", "--vectors", "v.npz"] if path == ("assets", "add") else words
    run(*words)
    made = {found.parent for found in tmp_path.rglob("records.sqlite")}
    assert made == ({tmp_path / "workspace"} if path in MAKERS else set())
    for folder in made:
        engine(f"sqlite:///{folder / 'records.sqlite'}").dispose()


def test_a_hint_names_no_workspace_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("workspace", "theirs/workspace", "mine/below/workspace", "."):
        (tmp_path / other).mkdir(parents=True, exist_ok=True)
        (tmp_path / other / "records.sqlite").touch()
    monkeypatch.chdir(tmp_path / "mine")
    for typed in ("workspace", "pool", "/nowhere/at/all"):
        said = str(run("assets", "list", "--workspace", typed).exception)
        assert "Did you mean" not in said
        assert "theirs" not in said
    (tmp_path / "mine" / "wrkspace").mkdir()
    (tmp_path / "mine" / "wrkspace" / "records.sqlite").touch()
    assert "Did you mean --workspace wrkspace?" in str(run("assets", "list").exception)


def test_records_that_are_no_database_are_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite").write_bytes(b"not a database, but long enough to be read as one" * 40)
    done = run("assets", "list", "--workspace", str(tmp_path))
    assert "cannot be read" in str(done.exception)
    assert "backup" in str(done.exception)


def test_the_demo_does_not_begin_where_somebody_keeps_images(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    engine(settings.records_url).dispose()
    done = run("demo", "--workspace", str(tmp_path))
    assert isinstance(done.exception, SettingsError)
    assert "attune demo --workspace" in str(done.exception)
    assert not (tmp_path / "settings.json").exists()


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied", "/srv/demo"),
        OSError(28, "No space left on device"),
        requests.ConnectionError("HTTPConnectionPool(host='127.0.0.1', port=1): Max retries exceeded"),
        KeyError("sqlite3.IntegrityError: UNIQUE constraint failed"),
        RecursionError("maximum recursion depth exceeded"),
    ],
)
def test_whatever_stops_the_demo_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def stopped(*_: object) -> None:
        raise error

    monkeypatch.setattr(cli_demo, "_demo", stopped)
    done = run("demo", "--workspace", str(tmp_path))
    assert isinstance(done.exception, ServiceDown)
    said = str(done.exception)
    assert "again" in said, "what to do next"
    assert not any(word in said for word in ("Traceback", "UNIQUE", "Max retries", "depth"))


WORDS = [("serious", "published", "champion, challenger"), ("romance", "candidate", None)]


@pytest.mark.parametrize("width", [200, 80, 44])
def test_no_word_of_a_table_is_broken_however_narrow_the_terminal(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    table(("attribute", "state", "aliases"), WORDS).print(width)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= width
    for row in WORDS:
        for cell in filter(None, row):
            assert all(word in shown.split() or f"{word}," in shown for word in cell.replace(",", "").split())


def test_rows_become_paragraphs_where_columns_do_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/a/long/path/to/an/image/that/nobody/would/want/broken.jpg"
    table(("asset_id", "uri"), [("broken.jpg", path), ("b.jpg", "[not markup]")]).print(40)
    shown = capsys.readouterr().out
    assert f"uri       {path}\n" in shown
    assert "[not markup]" in shown
    assert "┃" not in shown


def test_what_every_command_takes_is_told_its_place_when_it_comes_first() -> None:
    for words in (("--workspace", "here", "probes", "list"), ("--workspace=here", "probes", "list"), ("--json", "up")):
        told = run(*words)
        assert told.exit_code == 2
        assert "`attune attribute list --" in told.output


def test_a_first_start_says_how_to_log_in_and_where_images_come_from(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path / "mine")
    login, images = first_steps(settings)[1:]
    assert images == f"  attune assets add ./posters --workspace {tmp_path / 'mine'}"
    _, words = login.split("attune ", 1)
    assert run(*shlex.split(words)).exit_code == 0
    assert first_steps(settings) == [], "somebody manages it"
