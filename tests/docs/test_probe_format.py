"""The ten lines of docs/reference/probe-format.md do what they say, with numpy and safetensors alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from attune.models.catalog.feature_values import SCHEMA
from attune.models.catalog.manifest import Manifest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "probe-format.md").read_text(encoding="utf-8")
OLD = sorted((ROOT / "tests" / "data" / "probe-v1").iterdir())
# Everything else is forbidden, so the page cannot lean on what happens to be installed.
HARNESS = """
import sys
class Alone:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in {{"models", "labeler", "workers", "torch", "sklearn", "scipy", "pyarrow"}}:
            raise ImportError(name + " is not there")
sys.meta_path.insert(0, Alone())
import json
DIR, given = sys.argv[1:3]
import numpy as np
x = np.array(json.loads(given), dtype=np.float32)
{lines}
print(json.dumps(p.tolist()))
"""


def lines() -> str:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


def run(folder: Path, x: object) -> subprocess.CompletedProcess[str]:
    """What the lines make of the vectors ``x``."""
    code = HARNESS.format(lines=lines())
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", code, str(folder), json.dumps(x)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("folder", OLD, ids=lambda folder: folder.name)
def test_the_lines_give_the_versions_probabilities(folder: Path) -> None:
    assert len(lines().strip().splitlines()) == 10
    expected = json.loads((folder / "expected.json").read_text())
    done = run(folder, expected["x"])
    assert done.stdout, done.stderr
    assert np.abs(np.array(json.loads(done.stdout)) - np.array(expected["probabilities"])).max() < 1e-5


def test_vectors_of_another_length_are_refused_in_words() -> None:
    done = run(OLD[0], [[1.0] + [0.0] * 1279])
    assert (done.returncode, done.stdout) == (1, "")
    assert "1280 numbers" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_page_names_every_key_and_column() -> None:
    keys = [name for name in Manifest.__dataclass_fields__ if f"`{name}`" not in PAGE]
    columns = [name for name in SCHEMA.names if f"`{name}`" not in PAGE]
    assert (keys, columns) == ([], [])
