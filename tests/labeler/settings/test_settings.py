"""Settings: argument over environment over workspace over default; errors name the variable and never a secret."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from attune.labeler import settings
from attune.labeler.settings import secrets
from attune.labeler.settings.workspace_id import workspace_id
from attune.models.errors import SettingsError


def test_argument_over_environment_over_workspace_over_default(tmp_path: Path) -> None:
    settings.keep_settings(tmp_path, web_port=9001, seed=3, workers=4)
    environment = {"ATTUNE_WORKSPACE": str(tmp_path), "ATTUNE_SEED": "5", "ATTUNE_WORKERS": "6"}
    made = settings.build(environment, workers=7)
    assert (made.web_port, made.seed, made.workers, made.sync_seconds) == (9001, 5, 7, 30)


def test_a_child_process_builds_the_same_settings(tmp_path: Path) -> None:
    made = settings.build({"ATTUNE_WORKSPACE": str(tmp_path), "ATTUNE_OFFLINE": "yes", "ATTUNE_TOKEN": "s3cret"})
    assert settings.build(made.environment()) == made


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ATTUNE_WEB_PORT", "http", "a whole number"),
        ("ATTUNE_WEB_PORT", "70000", "a port from 1 to 65535"),
        ("ATTUNE_OFFLINE", "maybe", "yes or no"),
        ("ATTUNE_REDIS_URL", "localhost:6379", "a URL such as redis://"),
        ("ATTUNE_AUDIT_SHARE", "1.5", "a number from 0 to below 1"),
        ("ATTUNE_WORKERS", "0", "1 or more"),
    ],
)
def test_a_bad_value_is_named_with_what_it_may_be(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=name) as refused:
        settings.build({name: value})
    assert expected in str(refused.value)


def test_a_misspelt_variable_is_told_its_near_name() -> None:
    with pytest.raises(SettingsError, match="Did you mean ATTUNE_WEB_PORT"):
        settings.build({"ATTUNE_WEBPORT": "1"})


def test_no_secret_is_ever_printed() -> None:
    made = settings.build({"ATTUNE_TOKEN": "s3cret", "ATTUNE_REDIS_URL": "redis://:s3cret@h:1/0"})
    assert "s3cret" not in str(made.shown())
    with pytest.raises(SettingsError) as refused:
        settings.build({"ATTUNE_DATABASE_URL": "s3cret"})
    assert "s3cret" not in str(refused.value)


def test_a_workspace_has_a_name_of_its_own_that_tells_no_secret(tmp_path: Path) -> None:
    one, other = (settings.build({}, workspace=tmp_path / name) for name in ("one", "other"))
    assert workspace_id(one) == workspace_id(one) != workspace_id(other)
    assert workspace_id(one) not in one.secrets.read_text()


def test_secrets_are_made_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    first = secrets.load(tmp_path / "deep" / "secrets.json")
    assert secrets.load(tmp_path / "deep" / "secrets.json") == first
    assert stat.S_IMODE((tmp_path / "deep" / "secrets.json").stat().st_mode) == 0o600
    assert first.media_key not in repr(first)
    assert secrets.load(tmp_path / "other.json") != first


def test_an_older_workspace_gets_a_secret_for_webhooks_that_no_expert_has_read(tmp_path: Path) -> None:
    """The marks of its projects in Label Studio hang on the old one, which stays."""
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"webhook_secret": "read by all", "media_key": "kept"}))
    made = secrets.load(path)
    assert (made.webhook_secret, made.media_key) == ("read by all", "kept")
    assert len(made.hint_secret) == 40
    assert made.hint_secret not in {made.webhook_secret, secrets.load(tmp_path / "other.json").hint_secret}
    assert secrets.load(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_broken_secrets_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{half")
    with pytest.raises(SettingsError, match="backup"):
        secrets.load(tmp_path / "secrets.json")
    assert (tmp_path / "secrets.json").read_text() == "{half"


def test_what_the_scripts_of_ci_set_is_no_misspelt_setting(tmp_path: Path) -> None:
    script = (Path(__file__).resolve().parents[3] / ".ci" / "run").read_text(encoding="utf-8")
    names = re.findall(r"export (ATTUNE_\w+)=", script)
    assert names
    settings.build({"ATTUNE_WORKSPACE": str(tmp_path)} | dict.fromkeys(names, "1"))
