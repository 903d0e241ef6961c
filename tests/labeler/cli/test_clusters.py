"""`attune clusters` and `attune spaces` from the first clusters to a name that stays."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from attune.labeler.assets.active_encoder import activate
from attune.labeler.cli.main import attune
from attune.labeler.records.session import engine, writing
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.pool import unit_length
from attune.models.vectors.vector_store import VectorStore
from tests.support import factories


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of sixty ready-made vectors, and no Redis."""
    monkeypatch.setenv("ATTUNE_REDIS_URL", "redis://127.0.0.1:1/0")
    settings = factories.workspace(tmp_path / "ws")
    ids = [one.asset_id for one in factories.add_assets(settings, 60)]
    rows = np.eye(12)[np.arange(60) % 3] + np.random.default_rng(0).normal(size=(60, 12), scale=0.1)
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 12)
    VectorStore(settings.vectors).append(made, ids, unit_length(rows))
    with writing(settings) as session:
        activate(session, made)
    engine(settings.records_url).dispose()
    return settings.workspace


def run(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(attune, [*words, "--workspace", str(workspace)])


def document(workspace: Path, *words: str) -> Any:
    result = run(workspace, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_clusters_from_the_first_to_a_name_that_stays(workspace: Path, tmp_path: Path) -> None:
    listed = document(workspace, "clusters", "--k", "3")
    assert sum(one["size"] for one in listed["clusters"]) == listed["assets"] == 60
    assert document(workspace, "clusters") == listed
    assert document(workspace, "clusters", "name", "1", "2", "Blue")["before"] == ""
    made = document(workspace, "clusters", "make", "--k", "4", "--seed", "2")
    assert {one["number"]: one["name"] for one in made["clusters"]}[2] == "Blue"
    inside = document(workspace, "clusters", "make", "--k", "2", "--within", "1:1")
    assert inside["assets"] == 20
    rows = document(workspace, "clusters", "list")["clusterings"]
    assert [(row["clustering"], row["within"], row["clusters"]) for row in rows] == [
        (3, "1:1", 2),
        (2, "", 4),
        (1, "", 3),
    ]
    shown = document(workspace, "clusters", "show", "1", "2", "--top", "7")
    assert (shown["name"], len(shown["typical"]), shown["loose"]) == ("Blue", 7, False)
    beside = document(workspace, "clusters", "compare", "1", "2")
    assert next(one for one in beside["clusters"] if one["number"] == 2)["same"] == 2
    told = document(workspace, "clusters", "describe", "1", "2")
    assert (told["clustering"], told["descriptions"], told["tests"]) == (1, [], 0)
    assert "without an encoder" in told["no_phrases"]
    to = tmp_path / "clusters.csv"
    assert document(workspace, "clusters", "export", "1", "--to", str(to))["rows"] == 60
    with to.open(newline="") as file:
        assert {row["cluster"] for row in csv.DictReader(file)} == {"1", "2", "3"}
    (final,) = document(workspace, "spaces", "list")["spaces"]
    assert (final["space"], final["images"]) == ("final", 60)


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (("clusters", "show", "9"), "attune clusters list"),
        (("clusters", "make", "--space", "deep"), "attune spaces list"),
        (("clusters", "make", "--within", "7"), "attune clusters list"),
        (("clusters", "make", "--space", "layer:2"), "attune spaces layers layer:2"),
        (("spaces", "layers", "layer:2"), "attune spaces layers colour"),
        (("clusters", "--k", "4", "list"), "clusters make --k 30"),
    ],
)
def test_what_cannot_be_done_is_told_with_the_next_command(workspace: Path, words: tuple[str, ...], step: str) -> None:
    result = run(workspace, *words)
    assert result.exit_code != 0
    assert step in " ".join(f"{result.output} {result.exception}".split())
