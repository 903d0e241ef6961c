"""Every block of use-python.md runs alone, in the page's order, against a served console; it names all there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import attune
from attune.labeler.people import tokens
from tests.support import published

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "use-python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_names_every_name() -> None:
    absent = [name for name in attune.__all__ if name != "__version__" and f"attune.{name}" not in PAGE]
    assert not absent


def test_every_name_has_a_docstring_with_an_example() -> None:
    functions = [getattr(attune, name) for name in attune.__all__ if name not in {"__version__", "AttuneError", "Pool"}]
    assert len(functions) == 8
    for function in [*functions, attune.Pool.of]:
        assert "::\n" in function.__doc__, f"{function.__name__} shows no example"


@pytest.mark.slow
def test_every_block_of_the_page_runs(tmp_path: Path) -> None:
    settings = published.workspace(tmp_path / "workspace")
    (tmp_path / "labeler").symlink_to(ROOT / "labeler")
    assert len(BLOCKS) >= 7
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"block{number}.py").write_text(block)
    # Each block without the names of the others, as a person copies it; only the files of those before are there.
    script = tmp_path / "page.py"
    script.write_text(f"import runpy\nfor n in range({len(BLOCKS)}):\n    runpy.run_path(f'block{{n}}.py')\n")
    with published.served(settings) as address:
        environment = os.environ | {"ATTUNE_URL": address, "ATTUNE_TOKEN": tokens.issue(settings, "nightly")}
        done = subprocess.run(
            [sys.executable, "-P", script.name], cwd=tmp_path, env=environment | {"HOME": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "('serious', 'not serious') 3"
    assert "8 {}" in said
    assert any(line.startswith("average_precision 0.") or line.startswith("average_precision 1.") for line in said)
    assert "nowhere/manifest.json" in said[-1]
    assert (tmp_path / "serious.parquet").stat().st_size > 0
