"""The demo's encoder on images that it does not know: said before anything is done, and asked in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from attune.labeler.assets.summary import Summary
from attune.labeler.cli import drawings_only
from attune.labeler.cli.main import attune
from attune.labeler.cli.shell import Shell
from attune.labeler.records.session import engine
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_WEIGHTS, write_catalogue
from attune.labeler.settings import build
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.encoders.weights import locate
from tests.support.factories import picture


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a picture of one's own, a sample catalogue, and the demo's encoder; nothing is really added."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTUNE_ENCODER", str(ENCODER_CONFIG))
    monkeypatch.setenv("ATTUNE_PRETRAINED", str(ENCODER_WEIGHTS))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "one.jpg").write_bytes(picture(1))
    write_catalogue(tmp_path / "sample", 4)
    monkeypatch.setattr("attune.labeler.assets.add.add", lambda *_: Summary(added=1))
    yield tmp_path
    engine(f"sqlite:///{tmp_path / 'workspace' / 'records.sqlite'}").dispose()


def add(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(attune, ["assets", "add", *arguments, "--json"], input=answer)


def somebody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings_only, "somebody_reads", lambda: True)


def test_without_a_terminal_it_warns_and_goes_on(place: Path) -> None:
    done = add("own")
    assert json.loads(done.stdout)["added"] == 1
    assert "attune assets remove" in done.stderr


@pytest.mark.parametrize("path", ["sample", "sample/images", "sample/images/t0000-1.jpg"])
def test_the_samples_images_are_no_reason_to_warn(place: Path, path: str) -> None:
    assert "Warning" not in add(path).stderr


def test_supplied_vectors_need_no_encoder_and_no_warning(place: Path) -> None:
    assert "Warning" not in add("own", "--vectors", "vectors.npz").stderr


def test_an_asset_table_without_a_path_is_judged_by_where_it_is(place: Path) -> None:
    assert "Warning" not in add("--manifest", "sample/manifest.csv").stderr
    assert "Warning" in add("--manifest", "own/table.csv").stderr


def test_in_a_terminal_it_asks_and_no_adds_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody_reads(monkeypatch)
    refused = add("own", answer="n\n")
    assert refused.exit_code != 0
    assert not refused.stdout.strip()
    assert add("own", answer="y\n").exit_code == 0
    assert add("own", "--yes").exit_code == 0, "with --yes nothing is asked"


def test_a_probe_of_this_encoder_warns_before_it_scores_other_images(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = locate(str(ENCODER_CONFIG), str(ENCODER_WEIGHTS))
    mine = Fingerprint("open_clip", checkpoint.model, checkpoint.digest, 64)
    shell = Shell(build(), json=False)
    drawings_only.warn_scores(shell, mine, ["sample/images"])
    drawings_only.warn_scores(shell, Fingerprint("open_clip", "ViT-B-32", "0" * 64, 512), ["own"])
    assert not capsys.readouterr().err
    drawings_only.warn_scores(shell, mine, ["sample", "own"])
    said = capsys.readouterr()
    assert "own has other images" in said.err
    assert not said.out
