"""The tour of examples/ runs from the first cell to the last in an empty environment that has the wheel and pandas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.exchange.import_labels import import_labels
from attune.labeler.jobs import jobs
from attune.labeler.people import tokens
from attune.labeler.records.schema import Attribute, Run
from attune.labeler.records.session import reading, writing
from tests.journeys.conftest import ATTRIBUTE, House
from tests.support import environments

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
NAME = "tour"
NEEDS = ("click", "filelock", "fsspec", "numpy", "pandas", "pyarrow", "requests", "rich", "safetensors")
RUNNER = ("nbclient==0.11.0", "ipykernel")
RUN = """
import json, sys, nbformat
from nbclient import NotebookClient
tour = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(tour, timeout=300, kernel_name="python3").execute()
cells = [cell for cell in tour.cells if cell.cell_type == "code"]
shown = [[out.get("data", {}).get("text/html", out.get("text", "")) for out in cell.outputs] for cell in cells]
json.dump(shown, sys.stdout)
"""


def test_the_tour_runs_in_an_empty_environment(house: House, tmp_path: Path) -> None:
    _publish(house)
    wheel = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*wheel, "--target", tmp_path / "attune", ROOT], check=True, timeout=300)
    python = environments.python_with(*NEEDS, *RUNNER)
    about = {
        "PYTHONPATH": str(tmp_path / "attune"),
        "ATTUNE_URL": house.settings.web_address,
        "ATTUNE_TOKEN": tokens.issue(house.settings, "tour", "owner"),
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    tour = ROOT / "examples" / "tour.ipynb"
    done = subprocess.run(
        [python, "-c", RUN, tour], capture_output=True, text=True, cwd=tmp_path, env=about, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-4000:]
    shown = ["".join(outputs) for outputs in json.loads(done.stdout)]
    grids = [html for html in shown if "data:image/jpeg" in html]
    assert [html.count("<img") for html in grids] == [12, 12, 12, 6]
    assert "no picture" not in "".join(shown)
    assert any("The first class is serious" in text for text in shown)


def test_the_tour_is_kept_without_results() -> None:
    tour = json.loads((ROOT / "examples" / "tour.ipynb").read_text(encoding="utf-8"))
    assert not [cell for cell in tour["cells"] if cell.get("outputs") or cell.get("execution_count")]


def _publish(house: House) -> None:
    """A question of its own with the true labels of a third of the pool, promoted and scored."""
    with writing(house.settings) as session:
        definition = Definition(NAME, "Is the expression serious?", ("serious", "not serious"))
        attributes.create(session, definition, house.settings)
    truths = list(house.drawn.truths.values())[::3]
    rows = [f"{truth.asset_id},{truth.value(ATTRIBUTE)},tour@example.org" for truth in truths]
    content = "\n".join(["asset_id,value,expert", *rows]).encode()
    import_labels(house.settings, NAME, content, create_experts=True)
    _await_run(house)
    moved = promote(house.settings, Move(NAME, "latest", "for the tour", "tests"))
    jobs.ask(house.settings, "score", attribute=NAME, version=moved.version)


def _await_run(house: House) -> None:
    """Until a learning round has ended: the import asks for one itself, and another would wait for it."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with reading(house.settings) as session:
            if session.scalar(select(Run.id).join(Attribute).where(Attribute.name == NAME)) is not None:
                return
        time.sleep(0.5)
    raise TimeoutError(f"no run of {NAME} after 120 s; see {house.settings.logs}")
