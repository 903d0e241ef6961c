"""Real random tests with an effect put into them: by the documented commands and columns alone."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from attune.labeler.cli.main import attune

SHARED = Path(os.environ.get("ATTUNE_SHARED") or Path(__file__).resolve().parents[3].parent / "shared")
pytestmark = pytest.mark.skipif(not (SHARED / "experiments").is_dir(), reason=f"no tests in {SHARED}/experiments")
EFFECT = math.log(0.88)
BAD = ("2013-06-25", "2014-01-10")  # a server's cache spoiled these (`sample_ratio`)


def command(workspace: Path, *words: str) -> dict[str, Any]:
    """Run a command with --json."""
    done = CliRunner().invoke(attune, [*words, "--workspace", str(workspace), "--json"])
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def write(folder: Path, columns: Sequence[str]) -> None:
    """Clicks of images with a made-up feature are thinned to 88 %; a second feature does nothing at all."""
    rng = np.random.default_rng(7)
    with (SHARED / "experiments" / "arms.csv").open() as file:
        arms = list(csv.DictReader(file))
    first, last = (int(np.datetime64(day, "s").astype(int)) for day in BAD)
    takes, planted, nothing = [",".join(columns)], ["asset_id,value"], ["asset_id,value"]
    for arm in arms:
        if first <= int(arm["test_id"][:8], 16) <= last:
            continue
        has = rng.random() < 0.3
        taken = rng.binomial(int(arm["clicks"]), math.exp(EFFECT)) if has else int(arm["clicks"])
        takes.append(f"{arm['arm_id']},{arm['test_id']},front page,{arm['impressions']},{taken}")
        planted.append(f"{arm['arm_id']},{'portrait' if has else 'scene'}")
        nothing.append(f"{arm['arm_id']},{rng.normal():.4f}")
    for name, lines in (("takes", takes), ("planted", planted), ("nothing", nothing)):
        (folder / f"{name}.csv").write_text("\n".join([*lines, ""]))


def test_a_known_effect_comes_out_of_a_file_kept_apart(tmp_path: Path) -> None:
    write(tmp_path, ("asset_id", "title_id", "canvas", "impressions", "takes"))
    workspace = tmp_path / "workspace"
    command(workspace, "performance", "add", str(tmp_path / "takes.csv"), "--arm", "explore")
    assert command(workspace, "features", "import", str(tmp_path / "planted.csv"), "--name", "people")["question"]
    command(workspace, "features", "import", str(tmp_path / "nothing.csv"), "--name", "noise")
    told = command(workspace, "insights", "run")
    by_feature = {one["feature"]: one for one in told["insights"]}
    people, noise = by_feature["people"], by_feature["noise"]
    low, high = people["ci"]
    assert low < EFFECT < high
    assert high - low < 0.04
    assert people["contrast"] == "portrait:scene"
    assert people["canvas"] is None
    assert people["grade"] == "A"
    assert people["q"] < 1e-6
    assert 0.2 < people["share_other_way"] < 0.45
    assert people["titles"] > 2000
    assert people["corrected"] is people["uncorrected"] is None
    assert noise["ci"][0] < 0 < noise["ci"][1]
    assert not noise["enough"]
    assert told["seed"] == 0
    assert set(told["digests"]) == {"performance", "features"}
    shown = command(workspace, "insights", "show", str(people["id"]))
    assert 0 < shown["ratio"]["flagged"] < 0.01 * shown["ratio"]["tested"]
    plan = command(workspace, "insights", "power", str(people["id"]))
    assert plan["impressions"] > 10_000
    assert plan["titles"] >= people["titles"]
    assert command(workspace, "insights", "publish", str(people["id"]), "--reason", "seen")["state"] == "published"
    assert [one["id"] for one in command(workspace, "insights", "list", "--q", "0.01")["insights"]] == [people["id"]]
    asked = command(workspace, "insights", "ask", "--feature", "noise", "--canvas", "front page")
    assert asked["titles"] == "confirmation"
    assert command(workspace, "insights", "retire", str(noise["id"]), "--reason", "chance")["state"] == "retired"
