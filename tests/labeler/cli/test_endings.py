"""How commands and parts end: a sentence with an id for what nobody foresaw, quiet where somebody stopped them."""

from __future__ import annotations

import errno
import os
import re
import runpy
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from attune.labeler.cli import main
from attune.labeler.services.exits import ending
from attune.models.errors import AttuneError, UnknownAsset, consequence
from tests.support.factories import add_attribute, workspace

ROOT = Path(__file__).parents[3]
SECRET = "what only the trace may say"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = workspace(tmp_path / "workspace")
    add_attribute(made)
    monkeypatch.setenv("ATTUNE_WORKSPACE", str(made.workspace))
    return made.workspace


def break_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("attune.labeler.cli.shell.Shell.result", broken)


def test_the_unforeseen_is_an_id_and_its_trace_in_the_log(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    break_with(monkeypatch, ZeroDivisionError(SECRET))
    assert main.run(["attribute", "list"]) not in (0, None)
    said = capfd.readouterr()
    number = re.search(r"number ([0-9a-f]{8})", said.err)
    assert number
    log = place / "logs" / "errors.log"
    assert str(log) in said.err
    assert SECRET not in said.out + said.err
    assert "ZeroDivisionError" not in said.err
    assert number.group(1) in log.read_text()
    assert SECRET in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_debug_shows_the_trace_at_once(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATTUNE_LOG_LEVEL", "DEBUG")
    break_with(monkeypatch, ZeroDivisionError(SECRET))
    main.run(["attribute", "list"])
    assert SECRET in capfd.readouterr().err


def test_without_a_workspace_the_way_to_the_trace_is_said(tmp_path: Path) -> None:
    end = ending(ZeroDivisionError(SECRET), tmp_path / "nowhere")
    assert "ATTUNE_LOG_LEVEL=DEBUG" in end.said
    assert not (tmp_path / "nowhere").exists()


PIPES = {errno.EPIPE, errno.ESHUTDOWN}
FORESEEN: list[BaseException] = [
    *(OSError(code, os.strerror(code), "/a/b") for code in sorted(errno.errorcode) if code not in PIPES),
    OSError("no number"),
    MemoryError(),
    OperationalError("SELECT x", {}, sqlite3.OperationalError("database is locked")),
    OperationalError("SELECT x", {}, sqlite3.OperationalError("attempt to write a readonly database")),
    OperationalError("SELECT x", {}, sqlite3.OperationalError("database or disk is full")),
    UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed"),
]


@pytest.mark.parametrize("error", FORESEEN, ids=str)
def test_no_system_error_is_told_in_its_own_words(error: BaseException) -> None:
    end = ending(error)
    assert end.code not in (0, None)
    assert len(end.said) > 20
    for own in ("Errno", type(error).__name__, "SELECT", "sqlite", "surrogates"):
        assert own not in end.said


def test_our_own_errors_keep_their_words_and_codes() -> None:
    assert ending(UnknownAsset("No asset is called x.")).said == "No asset is called x."
    assert ending(UnknownAsset("x")).code == consequence(UnknownAsset).exit_code
    assert issubclass(UnknownAsset, AttuneError)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError(errno.EPIPE, "x")])
def test_who_stops_a_command_sees_no_error(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: BaseException
) -> None:
    break_with(monkeypatch, error)
    try:
        code = main.run(["attribute", "list"])
    except SystemExit as end:
        code = int(end.code or 0)
    said = capfd.readouterr()
    assert code in (1, 130)
    assert (said.out, said.err.strip()) in {("", ""), ("", "Stopped.")}


@pytest.mark.parametrize("to", ["| head -c 1 >/dev/null", "> /dev/full", ">&-"])
def test_an_output_that_takes_nothing_is_no_trace(place: Path, to: str) -> None:
    command = f"{sys.executable} -m attune.labeler.cli.main config show {to}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr
    assert ("the disk is full" in done.stderr) == ("/dev/full" in to)


PARTS = sorted(
    path
    for folder in ("labeler", "workers", "models", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if '\nif __name__ == "__main__":' in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("path", PARTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_help_of_a_part_starts_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(path), run_name="__main__")
    assert not end.value.code
    assert len(capsys.readouterr().out) > 60


def test_a_part_ends_with_a_sentence_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from attune.workers.runtime import worker

    monkeypatch.setenv("ATTUNE_WEB_PORT", "none")
    assert worker.main([]) == 2
    assert "ATTUNE_WEB_PORT" in capsys.readouterr().err
