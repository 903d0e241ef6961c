"""The tutorial's own commands, as far as they need no services, one after the other in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_images_come_in_and_the_question_is_made(tmp_path: Path) -> None:
    workspace(tmp_path / "workspace")
    commands = [*lines("3. Add images", "4. Create a question"), *lines("4. Create a question", "5. Answer")]
    done = [line for line in commands if not line.startswith(("attune expert", "attune batch"))]
    assert len(done) == 5
    own = {name: value for name, value in os.environ.items() if not name.startswith("ATTUNE_")}
    own |= {"ATTUNE_REDIS_PORT": "1", "ATTUNE_LABEL_STUDIO_PORT": "1", "HF_HUB_OFFLINE": "1"}
    own |= {"SAMPLE_ENCODER": str(ROOT / "labeler" / "sample" / "encoder")}
    own |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"}
    script = "\n".join(["set -e", *done]).replace("--images 400", f"--images {FEW}")
    assert f"--images {FEW}" in script
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    settings = build({}, workspace=tmp_path / "workspace")
    assert settings.resize_mode == "squash"
    assert "Is the expression serious?" in ran.stdout
