"""What a newcomer meets first: git ignores what README's commands write, VENV holds, states have the pages' names."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from attune.labeler.views import state
from tests.docs.pages import ROOT, blocks, name_of

FIRST = [ROOT / "README.md", *sorted((ROOT / "docs" / "tutorial").glob("*.md"))]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git checkout")
def test_git_ignores_what_the_readmes_commands_write() -> None:
    text = "\n".join(block for _, block in blocks(FIRST[0]))
    written = set(re.findall(r"--to (\S+)", text)) | set(re.findall(r'ATTUNE_WORKSPACE="\$PWD/(\w+)"', text))
    assert {"./probe", "poster.parquet", "scores.parquet", "mine"} <= written
    # A pattern of a folder fits no name that is not there, so a file in it is asked about.
    names = sorted(one if "." in one.strip("./") else f"{one}/file" for one in written)
    asked = ["git", "check-ignore", "--no-index", *names]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert set(done.stdout.split()) == set(names)


@pytest.mark.parametrize("page", FIRST, ids=name_of)
def test_an_environment_in_another_folder_is_found_in_every_block(page: Path) -> None:
    lines = [line for _, block in blocks(page) for line in block.splitlines() if "/bin:$PATH" in line]
    assert lines
    assert all('$(realpath "${VENV:-.venv}")/bin' in line for line in lines)


def test_states_are_called_as_on_the_pages() -> None:
    macro = (ROOT / "labeler" / "web" / "templates" / "_macros.html").read_text(encoding="utf-8")
    (named,) = re.findall(r"\{'published': [^}]*\}", macro)
    shown = ast.literal_eval(named)
    page = (ROOT / "docs" / "reference" / "labelling.md").read_text(encoding="utf-8")
    table = set(re.findall(r"^\| ([A-Z][a-z ]+) \|", page, re.MULTILINE))
    for name in state.ABOUT:
        word = shown.get(name, name.capitalize())
        assert word in table or f"*{word}*" in page, f"docs/reference/labelling.md does not name the state {word!r}"
