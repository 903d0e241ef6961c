"""The demo's password is known to everybody: it opens nothing that another machine can reach."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from attune.labeler import settings as reader
from attune.labeler.cli import demo
from attune.labeler.cli.main import run as attune
from attune.labeler.demo import known_password
from attune.labeler.people import users
from attune.labeler.records.schema import Expert
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.labeler.web import serve
from attune.models.clock import now
from attune.models.errors import SettingsError
from tests.support import factories

OTHERS = {"ATTUNE_HOST": "0.0.0.0"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The records of a workspace in which the demo's owner and an expert are, with the demo's password."""
    settings = factories.workspace(tmp_path / "demo")
    users.create(settings, known_password.OWNER, "owner", known_password.PASSWORD)
    with writing(settings) as session:
        expert = Expert(email=f"ana@{known_password.DOMAIN}", name="ana", label_studio_user=1, added_at=now())
        session.add(expert)
        session.flush()
        number = expert.id
    users.create(settings, f"ana@{known_password.DOMAIN}", "expert", known_password.PASSWORD, number)
    return settings.workspace


class Started(Exception):
    """Something began to listen."""


def started(*_: Any, **__: Any) -> None:
    raise Started


def served(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr("waitress.create_server", started)
    serve.serve(settings)


def up(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    supervise = importlib.import_module("attune.labeler.services.foreground")
    monkeypatch.setattr(supervise, "Supervisor", started)
    monkeypatch.setattr(supervise.ports, "check", lambda _: None)
    supervise.run(settings, lambda _: None)


def settings_of(workspace: Path, **variables: str) -> Settings:
    given = {"ATTUNE_REDIS_URL": "redis://127.0.0.1:1/0", "ATTUNE_LABEL_STUDIO_URL": "http://127.0.0.1:1"}
    return reader.build(given | variables, workspace=workspace)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ATTUNE_HOST", "0.0.0.0"),
        ("ATTUNE_HOST", "::"),
        ("ATTUNE_HOST", "192.168.1.20"),
        ("ATTUNE_PUBLIC_URL", "https://attune.studio.example"),
        ("ATTUNE_LABEL_STUDIO_PUBLIC_URL", "https://labels.studio.example"),
    ],
)
@pytest.mark.parametrize("words", [["demo"], ["demo", "--check"]])
def test_the_demo_does_not_start_where_other_machines_reach_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
    variable: str,
    value: str,
) -> None:
    monkeypatch.setattr(demo, "Stack", started)
    monkeypatch.setenv(variable, value)
    code = attune([*words, "--workspace", str(tmp_path / "demo")])
    told = capsys.readouterr().err
    assert (code, f"{variable}={value}" in told) == (2, True)
    assert "ssh -L 8700:127.0.0.1:8700" in told
    assert "attune up --workspace ./mine" in told
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("start", [served, up])
def test_a_workspace_of_the_demo_is_not_served_to_others_until_its_logins_have_ended(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, start: Any
) -> None:
    with pytest.raises(Started):
        start(monkeypatch, settings_of(workspace))
    others = settings_of(workspace, **OTHERS)
    with pytest.raises(SettingsError) as refused:
        start(monkeypatch, others)
    told = str(refused.value)
    assert f"attune expert remove ana@{known_password.DOMAIN} --workspace {workspace}" in told
    assert f"attune user password {known_password.OWNER} --workspace {workspace}" in told
    users.set_password(others, known_password.OWNER, "another good long one")
    with pytest.raises(SettingsError) as still:
        start(monkeypatch, others)
    assert known_password.OWNER not in str(still.value)
    with writing(others) as session:
        session.query(Expert).one().removed_at = now()
    with pytest.raises(SettingsError, match="attune user password ana@"):
        start(monkeypatch, others)
    users.disable(others, f"ana@{known_password.DOMAIN}")
    with pytest.raises(Started):
        start(monkeypatch, others)


@pytest.mark.parametrize("start", [served, up])
def test_a_workspace_of_ones_own_is_served_to_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, start: Any
) -> None:
    settings = factories.workspace(tmp_path / "mine")
    users.create(settings, "olga@example.org", "owner", factories.PASSWORD)
    with pytest.raises(Started):
        start(monkeypatch, settings_of(settings.workspace, **OTHERS))
