"""What a part of the stack is told by its environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from attune.labeler.jobs import jobs
from attune.labeler.services import parts
from attune.labeler.settings import build, keep


def test_a_part_reads_the_pools_encoder_from_the_workspace_so_that_it_may_change_while_it_runs(tmp_path: Path) -> None:
    keep(tmp_path, encoder="ViT-B-16")
    told = parts.our_environment(build({}, workspace=tmp_path))
    assert told["ATTUNE_WORKSPACE"] == str(tmp_path)
    assert not {"ATTUNE_ENCODER", "ATTUNE_PRETRAINED", "ATTUNE_RESIZE_MODE"} & set(told)


def test_an_encoder_named_from_outside_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, encoder="ViT-B-16")
    by_argument = parts.our_environment(build({}, workspace=tmp_path, encoder="ViT-L-14"))
    assert by_argument["ATTUNE_ENCODER"] == "ViT-L-14"
    monkeypatch.setenv("ATTUNE_ENCODER", "ViT-B-16")
    assert parts.our_environment(build(workspace=tmp_path))["ATTUNE_ENCODER"] == "ViT-B-16"


def test_a_part_imports_nothing_from_the_folder_that_it_is_started_in(tmp_path: Path) -> None:
    """A folder of the user's own may hold `attune/`, `models/` or a `random.py`."""
    for name in ("attune", "models", "workers", "labeler", "random"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is somebody else\\'s')\n")
    done = subprocess.run(
        [*parts.our_command("attune.labeler.services"), "--help"],
        env=parts.our_environment(build({}, workspace=tmp_path / "workspace")),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "attune.labeler.services" in done.stdout


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_beside_the_workers_one_more_ends_access_and_does_nothing_else(tmp_path: Path, workers: int) -> None:
    wanted = parts.wanted(build({}, workspace=tmp_path, workers=workers))
    queues = [part.command[-1].split(",") for part in wanted if "attune.workers.runtime.worker" in part.command]
    assert queues[0] == [jobs.KINDS["leave"][1]]
    assert len(queues) == workers + 1
    assert set(queues[-1]) == set(jobs.QUEUES)
    assert all("embed" not in taken for taken in queues[1:-1][:1]), "an answer waits for no ten thousand images"
    assert len({part.log for part in wanted}) == len(wanted)


def test_nothing_else_stands_in_the_line_of_what_ends_access() -> None:
    """Letting somebody in makes queues, which takes a while."""
    assert [kind for kind, (_, queue) in jobs.KINDS.items() if queue in jobs.ACCESS] == ["leave"]
