"""What every command prints for people: nothing in it acts on their terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler import settings as reader
from attune.labeler.cli.shell import Shell


def test_a_text_that_somebody_else_wrote_does_nothing_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A promotion's reason is an owner's, and an administrator reads it in a terminal."""
    shell = Shell(reader.build({}, workspace=tmp_path), json=False)
    shell.result({}, "why: \x1b[31mred\x07 \u202eback\n\tnext line")
    shell.hint("to do: \x9b31m this")
    told = capsys.readouterr()
    assert told.out == "why: \ufffd[31mred\ufffd \ufffdback\n\tnext line\n"
    assert told.err == "to do: \ufffd31m this\n"
