"""The tutorial's own commands, as far as they need no services, one after the other in an empty folder."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from attune.labeler.cli.main import run
from attune.labeler.records.session import engine
from attune.labeler.sample import catalogue
from attune.labeler.settings import build
from tests.docs.pages import ROOT
from tests.support.factories import workspace

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "tutorial" / "first-probe.md"
FEW = 12  # images instead of the tutorial's 400


def lines(after: str, before: str) -> list[str]:
    """The commands of the section between two headings."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {after}\n")[1].split(f"\n## {before}\n")[0]
    found = [block.replace("\\\n", " ").splitlines() for block in text.split("```")[1::2]]
    return [line for block in found for line in block if line.strip()]


def typed(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what a line of the page says, in this process: five of their own would each load the encoder's libraries.

    The README's commands are run by a shell, in tests/examples.
    """
    program, *words = shlex.split(os.path.expandvars(line))
    if program == "attune":
        assert run(words) == 0, line
    else:
        assert [program, *words[:2]] == ["python", "-m", "attune.labeler.sample.catalogue"]
        monkeypatch.setattr(sys, "argv", words[1:])
        catalogue.main()


def test_images_come_in_and_the_question_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace(tmp_path / "workspace")
    commands = [*lines("3. Add images", "4. Create a question"), *lines("4. Create a question", "5. Answer")]
    done = [line for line in commands if not line.startswith(("attune expert", "attune batch"))]
    assert len(done) == 5
    for name in [name for name in os.environ if name.startswith("ATTUNE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ATTUNE_REDIS_PORT", "1")
    monkeypatch.setenv("ATTUNE_LABEL_STUDIO_PORT", "1")
    monkeypatch.setenv("SAMPLE_ENCODER", str(ROOT / "labeler" / "sample" / "encoder"))
    monkeypatch.chdir(tmp_path)
    assert "--images 400" in done[0]
    for line in (done[0].replace("--images 400", f"--images {FEW}"), *done[1:]):
        typed(line, monkeypatch)
    settings = build({}, workspace=tmp_path / "workspace")
    assert settings.resize_mode == "squash"
    assert "Is the expression serious?" in capsys.readouterr().out
    engine(settings.records_url).dispose()
