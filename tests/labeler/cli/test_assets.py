"""`attune assets` as people and scripts use it: exit codes, JSON on stdout, everything else on stderr."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update

from attune.labeler.cli.main import attune
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import engine, writing
from attune.labeler.settings import build
from attune.models.errors import AttuneError
from tests.labeler.assets.conftest import write_vectors
from tests.labeler.cli import bad_inputs
from tests.support.factories import picture


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with five pictures and their vectors, in which commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTUNE_REDIS_PORT", "1")
    (tmp_path / "pictures").mkdir()
    for number in range(5):
        (tmp_path / f"pictures/{number}.jpg").write_bytes(picture(number))
    write_vectors(tmp_path / "vectors.npz", [f"{number}" for number in range(4)] + ["nobody's"])
    yield tmp_path
    engine(f"sqlite:///{tmp_path / 'workspace' / 'records.sqlite'}").dispose()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(attune, ["assets", *arguments])


def found(*arguments: str) -> Any:
    """What a command prints with --json, having succeeded."""
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


ADD = ("add", "pictures", "--vectors", "vectors.npz")


def test_adding_tells_in_json_what_became_of_each_image(place: Path) -> None:
    (place / "pictures" / "cut.jpg").write_bytes(picture(1)[:400])
    summary = found(*ADD)
    assert (summary["added"], summary["pool"]) == (5, 5)
    assert summary["vectors"] == {
        "imported": 4,
        "copied": 0,
        "embedded": 0,
        "without_image": 1,
        "ambiguous": [],
        "left_out": [],
        "missing": ["4.jpg"],
    }
    assert summary["refused"] == {"truncated": 1}
    [refusal] = summary["refusals"]
    assert (refusal["item"], refusal["reason"]) == ("cut.jpg", "truncated")
    again = found(*ADD)
    assert (again["added"], again["already_there"]) == (0, 5)


def test_people_get_a_table_with_an_example_of_each_refusal(place: Path) -> None:
    (place / "pictures" / "empty.jpg").touch()
    done = run(*ADD)
    assert done.exit_code == 0
    for words in ("added", "refused: empty", "empty.jpg is empty", "images in the pool"):
        assert words in " ".join(done.stdout.split())


def test_nothing_added_is_a_failure_with_one_sentence(place: Path) -> None:
    (place / "broken").mkdir()
    (place / "broken" / "notes.jpg").write_text("no image")
    done = run("add", "broken", "--vectors", "vectors.npz", "--manifest", "list.csv")
    assert isinstance(done.exception, AttuneError)
    (place / "list.csv").write_text("asset_id,filename\n0,notes.jpg\n")
    done = run("add", "broken", "--vectors", "vectors.npz", "--manifest", "list.csv")
    assert done.exit_code == 3
    assert done.stderr.startswith("attune: Nothing was added. notes.jpg is not an image that can be read.")


def test_the_list_comes_in_pages(place: Path) -> None:
    run(*ADD)
    page = found("list", "--limit", "2", "--offset", "3")
    assert page["total"] == 5
    assert [(asset["asset_id"], asset["vector"]) for asset in page["assets"]] == [("3.jpg", True), ("4.jpg", False)]
    assert page["assets"][0]["uri"] == str(place / "pictures" / "3.jpg")
    shown = run("list", "--limit", "2")
    assert "1-2 of 5 assets. Next page: --offset 2" in shown.stderr
    assert "5 of 5 assets" in run("list", "--offset", "4").stderr


def test_removing_takes_assets_off_the_list(place: Path) -> None:
    run(*ADD)
    assert found("remove", "0.jpg", "1.jpg")["vectors"] == 2
    assert [asset["asset_id"] for asset in found("list")["assets"]] == ["2.jpg", "3.jpg", "4.jpg"]
    assert found("remove", "0.jpg")["removed_before"] == ["0.jpg"]


def test_a_wrong_folder_is_taken_out_again_by_the_command_that_adding_names(place: Path) -> None:
    (place / "pictures of others").mkdir()
    for number in range(2):
        (place / f"pictures of others/{number}-b.jpg").write_bytes(picture(10 + number))
    write_vectors(place / "vectors.npz", [*map(str, range(5)), "0-b", "1-b"])
    run(*ADD)
    told = run("add", "pictures of others", "--vectors", "vectors.npz")
    named = re.search(r"`attune assets (remove [^`]+)`", told.output)
    assert named, told.exception
    refused = run(*shlex.split(named[1]))
    assert f"removes 2 images from the pool, whenever they were added: {place}/pictures of others (2)." in str(
        refused.exception
    )
    assert "add --yes" in str(refused.exception)
    assert found("list")["total"] == 7
    assert sorted(found(*shlex.split(named[1]), "--yes")["removed"]) == ["0-b.jpg", "1-b.jpg"]
    assert found("list")["total"] == 5
    missing = run("remove", "--from", "pictures of others")
    assert "Nothing was removed" in str(missing.exception)
    assert "Give ids, or a folder" in str(run("remove").exception)


def test_a_person_is_asked_before_a_folder_is_removed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attune.labeler.cli.assets.somebody_reads", lambda: True)
    run(*ADD)
    command = ["assets", "remove", "--from", "pictures", "--json"]
    refused = CliRunner().invoke(attune, command, input="n\n")
    assert refused.exit_code != 0
    assert "5 images" in refused.stderr
    assert found("list")["total"] == 5
    assert CliRunner().invoke(attune, command, input="y\n").exit_code == 0
    assert found("list")["total"] == 0


def test_the_hint_after_adding_warns_of_images_that_were_there_before(place: Path) -> None:
    run(*ADD)
    (place / "pictures/6.jpg").write_bytes(picture(6))
    told = run(*ADD).stderr
    assert "To take out only this one: `attune assets remove ID...`" in told
    assert "also takes out the 5 images that were added before" in told


def test_the_page_of_bad_inputs_says_what_really_happens() -> None:
    assert bad_inputs.PAGE.read_text(encoding="utf-8") == bad_inputs.page(), (
        "docs/reference/bad-inputs.md is stale: make docs"
    )


def test_images_of_an_older_reading_are_read_again_by_command(place: Path) -> None:
    found(*ADD)
    with writing(build({}, workspace=place / "workspace")) as session:
        session.execute(update(Asset).values(reading=1, width=1))
    assert found("reread") == {"looked_at": 5, "moved": 0, "left_out": []}
    assert found("reread")["looked_at"] == 0
    (place / "pictures" / "2.jpg").unlink()
    with writing(build({}, workspace=place / "workspace")) as session:
        assert set(session.scalars(select(Asset.width))) == {240}
        session.execute(update(Asset).values(reading=1))
    assert [item["item"] for item in found("reread")["left_out"]] == ["2.jpg"]
    assert "2.jpg does not exist" in run("reread").output
