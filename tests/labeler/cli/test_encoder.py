"""`attune encoder`: what there is, whether it works here, a change to another (the sample's is a real model)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import active_fingerprint
from attune.labeler.assets.chosen_encoder import missing
from attune.labeler.cli.main import attune
from attune.labeler.cli.up import encoder_missing
from attune.labeler.demo.prepare import encoder_settings
from attune.labeler.records.session import engine, reading
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_WEIGHTS
from attune.labeler.settings import Settings
from attune.models.encoders.encoders import OpenClipEncoder
from attune.models.errors import EmptyPool
from tests.support.factories import picture, workspace

ABSENT = {"encoder": "ViT-B-32", "pretrained": "laion2b_s34b_b79k"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A workspace that keeps the sample's encoder; no hub answers and no worker lives."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("attune.models.encoders.weights.cached", lambda tag: None)
    folder = tmp_path / "workspace"
    folder.mkdir()
    reader.keep_settings(folder, **encoder_settings(), device="cpu", redis_port=1, label_studio_port=1)
    made = workspace(folder)
    yield made
    engine(made.records_url).dispose()


def run(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(attune, [*words, "--workspace", str(settings.workspace)])


def found(settings: Settings, *words: str) -> Any:
    done = run(settings, *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_list_has_the_workspaces_own_first(settings: Settings) -> None:
    told = found(settings, "encoder", "list", "siglip2-256 B-32")
    own = told["workspace"]
    assert (own["model"], own["here"], own["dimension"]) == (str(ENCODER_CONFIG), True, 128)
    assert own["bytes"] == ENCODER_WEIGHTS.stat().st_size
    assert [(one["model"], one["pretrained"]) for one in told["encoders"]] == [("ViT-B-32-SigLIP2-256", "webli")]
    assert ENCODER_CONFIG.name in run(settings, "encoder", "list", "siglip2-256 B-32").stdout
    assert found(settings, "encoder", "list", "--here")["encoders"] == []


def test_a_check_measures_what_the_encoder_is(settings: Settings) -> None:
    told = found(settings, "encoder", "check")
    loaded = OpenClipEncoder.load(str(ENCODER_CONFIG), str(ENCODER_WEIGHTS), "squash", "cpu")
    assert told["loadable"]
    assert (told["digest"], told["dimension"]) == (loaded.fingerprint.digest, 128)
    assert told["bytes"] == ENCODER_WEIGHTS.stat().st_size
    assert told["of_the_pool"] is None
    speed = told["speed"]
    assert speed["images"] % speed["batch"] == 0
    assert speed["images_per_second"] == pytest.approx(speed["images"] / speed["seconds"], rel=0.1)


def test_a_check_of_an_absent_encoder_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        refusing = f"http://127.0.0.1:{server.getsockname()[1]}"
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_ENDPOINT": refusing, "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "attune.labeler.cli.main", "encoder", "check", "ViT-B-32"]
    command += ["--pretrained", "laion2b_s34b_b79k", "--json"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, told["loadable"]) == (5, False)
    assert "encoder use" in told["message"]
    assert list(tmp_path.glob("workspace")) == []


@pytest.mark.parametrize("words", [("encoder", "use"), ("config", "encoder")])
def test_use_embeds_the_pool_again_by_either_name(settings: Settings, words: tuple[str, str]) -> None:
    (settings.workspace / "0.jpg").write_bytes(picture(0))
    assert found(settings, "assets", "add", str(settings.workspace / "0.jpg"))["added"] == 1
    done = found(settings, *words, str(ENCODER_CONFIG), "--resize-mode", "longest")
    assert done["embedded"] == 1
    kept = reader.build({}, workspace=settings.workspace)
    assert (kept.pretrained, kept.resize_mode) == (str(ENCODER_WEIGHTS), "longest")
    with reading(settings) as session:
        assert str(active_fingerprint(session)) == done["encoder"]
    assert found(settings, "encoder", "check")["of_the_pool"] is True
    assert found(settings, "config", "encoder")["active"]["dimension"] == 128


def test_what_is_no_encoder_changes_nothing(settings: Settings) -> None:
    for words in (("ViT-B-32",), ("nonsense", "--pretrained", "x"), (str(ENCODER_CONFIG), "--resize-mode", "round")):
        assert run(settings, "encoder", "use", *words).exit_code != 0
    assert reader.build({}, workspace=settings.workspace).resize_mode == "squash"


def test_an_absent_encoder_is_said_before_images_are_added(settings: Settings) -> None:
    assert encoder_missing(settings) == ""
    reader.keep_settings(settings.workspace, **ABSENT)
    absent = reader.build({}, workspace=settings.workspace)
    assert encoder_missing(absent) == missing(absent)
    assert "attune encoder use" in missing(absent)


def test_an_empty_pools_round_names_another_way_than_what_failed(settings: Settings) -> None:
    reader.keep_settings(settings.workspace, **ABSENT)
    (settings.workspace / "0.jpg").write_bytes(picture(0))
    assert run(settings, "assets", "add", str(settings.workspace / "0.jpg")).exit_code == 1
    made = ("--question", "Serious?", "--classes", "yes,no")
    assert run(settings, "attribute", "create", "serious", *made).exit_code == 0
    refused = run(settings, "batch", "serious")
    assert isinstance(refused.exception, EmptyPool)
    assert "attune encoder use" in str(refused.exception)
