"""`attune expert`, `user` and `attribute revise`: the same as in the console, from a shell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.cli.main import attune
from attune.labeler.people import erased_list, login_links, login_sessions, users
from attune.labeler.people.login_sessions import Origin
from attune.labeler.records.schema import Annotation
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import AlreadyThere, DataError
from tests.support import factories
from tests.support.fake_door import FakeDoor

SAID = ("romance", "romance", "friendship", "unsure")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Romance with four answers of Ana, who has a login."""
    made = factories.workspace(tmp_path)
    ana = factories.add_expert(made)
    factories.add_user(made, ana.email, "expert", ana)
    queue = factories.add_queue(made, factories.add_attribute(made), ana)
    for asset, value in zip(factories.add_assets(made, len(SAID)), SAID, strict=True):
        factories.add_answer(made, queue, asset, value)
    return made


def run(settings: Settings, *words: str) -> Any:
    """The JSON that a command prints; its error is raised."""
    environment = {"ATTUNE_REDIS_URL": "unix:///nowhere.sock"}
    result: Result = CliRunner().invoke(
        attune, [*words, "--json", "--workspace", str(settings.workspace)], env=environment
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def living(settings: Settings) -> list[str]:
    """The values that count."""
    with reading(settings) as session:
        wanted = select(Annotation.value).where(Annotation.deleted_at.is_(None)).order_by(Annotation.id)
        return list(session.scalars(wanted))


def test_a_link_lets_the_expert_in_once(settings: Settings) -> None:
    link = run(settings, "expert", "link", "ana@example.org")["link"]
    assert login_links.use(settings, link.rpartition("/")[2], Origin()).person.email == "ana@example.org"


def test_answers_are_set_aside_and_taken_back(settings: Settings) -> None:
    assert run(settings, "expert", "answers", "ana@example.org", "drop")["answers"] == {"romance": 4}
    assert living(settings) == []
    assert run(settings, "expert", "answers", "ana@example.org", "drop")["answers"] == {}
    assert run(settings, "expert", "answers", "ana@example.org", "keep")["answers"] == {"romance": 4}
    assert living(settings) == list(SAID)


def test_answers_taken_back_are_read_as_the_revisions_since_say(settings: Settings) -> None:
    run(settings, "expert", "answers", "ana@example.org", "drop")
    run(
        settings,
        "attribute",
        "revise",
        "romance",
        "--reason",
        "R",
        "--rename",
        "romance=love",
        "--remove",
        "friendship",
    )
    assert run(settings, "expert", "answers", "ana@example.org", "keep")["answers"] == {"romance": 3}
    assert living(settings) == ["love", "love", "unsure"]


def test_logins_are_shut_opened_changed_and_removed_but_never_the_last_admin(settings: Settings) -> None:
    run(settings, "user", "add", "root@example.org", "--role", "admin")
    run(settings, "user", "add", "olga@example.org")
    run(settings, "user", "disable", "olga@example.org")
    assert {one["email"]: one["disabled"] for one in run(settings, "user", "list")}["olga@example.org"]
    link = run(settings, "user", "enable", "olga@example.org")["link"]
    assert login_links.user_of_link(settings, link.rpartition("/")[2]) == "olga@example.org"
    for words in (
        ["role", "root@example.org", "owner"],
        ["disable", "root@example.org"],
        ["remove", "root@example.org"],
    ):
        with pytest.raises(DataError, match="--role admin"):
            run(settings, "user", *words)
    run(settings, "user", "role", "olga@example.org", "admin")
    run(settings, "user", "remove", "root@example.org")
    assert users.role_of(settings, "root@example.org") is None
    with pytest.raises(DataError, match=r"attune expert add olga@example\.org"):
        run(settings, "user", "role", "olga@example.org", "expert")
    with pytest.raises(AlreadyThere):
        run(settings, "user", "add", "olga@example.org")


def test_sessions_are_shown_and_ended_and_a_leavers_end_is_told(settings: Settings) -> None:
    entered = users.log_in(settings, "ana@example.org", factories.PASSWORD, Origin("192.0.2.7", "Firefox on Windows"))
    assert entered
    (shown,) = run(settings, "user", "sessions", "ana@example.org")["sessions"]
    assert (shown["network_address"], shown["browser"]) == ("192.0.2.7", "Firefox on Windows")
    assert login_sessions.find(settings, entered.key)
    assert run(settings, "user", "sessions", "ana@example.org", "--end")["ended"] == 1
    assert login_sessions.find(settings, entered.key) is None
    users.log_in(settings, "ana@example.org", factories.PASSWORD, Origin())
    told = run(settings, "expert", "remove", "ana@example.org")
    assert told["console"] == "Login disabled. 1 session and 0 login links ended."
    assert told["sessions_ended"] == 1
    assert "may still have access" in told["label_studio"]


def test_a_question_is_revised_and_its_history_told(settings: Settings) -> None:
    change = (
        "--rename",
        "romance=love",
        "--remove",
        "friendship=neither",
        "--add",
        "family",
        "--hold",
        "romance,friendship",
    )
    tried = run(settings, "attribute", "revise", "romance", "--reason", "Too narrow.", *change, "--dry-run")
    assert (tried["kept"], tried["ended"]) == (0, {"unsure": 1})
    assert living(settings) == list(SAID)
    made = run(settings, "attribute", "revise", "romance", "--reason", "Too narrow.", *change)
    assert made["revision"] == 2
    assert made["renamed"] == {"romance": ["love", 2], "friendship": ["neither", 1]}
    assert living(settings) == ["love", "love", "neither"]
    told = run(settings, "attribute", "revisions", "romance")
    assert [line["reason"] for line in told["lines"]] == ["Too narrow.", ""]
    (classes,) = told["changes"]
    assert (classes["gone"], classes["come"]) == (["romance", "friendship"], ["love", "family"])
    with reading(settings) as session:
        assert attributes.find(session, "romance").classes == ["love", "neither", "family"]
    with pytest.raises(DataError, match="'romance' is not a class of romance"):
        run(settings, "attribute", "revise", "romance", "--reason", "R", "--rename", "romance=x")


def test_a_queue_is_listed_stopped_and_started(settings: Settings) -> None:
    (queue,) = run(settings, "queue", "list", "romance")
    assert (queue["email"], queue["waiting"], queue["answers"], queue["state"]) == ("ana@example.org", 0, 4, "open")
    done = run(settings, "queue", "stop", "romance", "ana@example.org")
    assert done == {"attribute": "romance", "expert": "ana@example.org", "state": "stopped", "given_back": 0}
    (queue,) = run(settings, "queue", "list", "romance")
    assert queue["state"] == "stopped"
    assert queue["stopped_at"]
    with pytest.raises(AlreadyThere, match="already stopped"):
        run(settings, "queue", "stop", "romance", "ana@example.org")
    assert living(settings) == list(SAID), "all answers stay"
    assert run(settings, "queue", "start", "romance", "ana@example.org")["state"] == "open"
    assert run(settings, "queue", "list", "romance")[0]["stopped_at"] is None


def test_an_erasure_waits_for_a_yes_and_says_that_backups_keep_the_data(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"4 answers to 1 question.*add --yes"):
        run(settings, "expert", "erase", "ana@example.org")
    assert users.role_of(settings, "ana@example.org") == "expert"
    FakeDoor().install(monkeypatch)
    done = run(settings, "expert", "erase", "ana@example.org", "--yes")
    assert done["state"] == "done"
    (listed,) = run(settings, "expert", "erased")["erased"]
    assert listed["alias"] == done["expert"]
    assert living(settings) == list(SAID)


def test_a_list_of_another_workspace_erases_again_and_says_who_waits(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = FakeDoor().install(monkeypatch)
    other = replace(settings, workspace=tmp_path / "other")
    other.workspace.mkdir()
    words = [
        "expert",
        "erased",
        "--again",
        str(other.workspace / erased_list.NAME),
        "--workspace",
        str(settings.workspace),
    ]

    def again() -> Result:
        return CliRunner().invoke(attune, words, env={"ATTUNE_REDIS_URL": "unix:///nowhere.sock"})

    erased_list.add(other, "ana@example.org", "left-1@erased.invalid", answers_left=True)
    door.away = True
    waits = again()
    assert (waits.exit_code, "1 person of the list was here" in waits.stderr) == (10, True), waits.output
    assert "Not erased yet. Label Studio does not answer" in waits.stderr
    door.away = False
    factories.add_expert(settings, "bo@example.org")
    erased_list.add(other, "bo@example.org", "left-2@erased.invalid", answers_left=True)
    done = again()
    assert (done.exit_code, "2 people of the list were here" in done.stderr) == (0, True), done.output
    assert "Erased. In its place: left-2@erased.invalid" in done.stderr
    assert "0 people of the list were here" in again().stderr


def test_without_passwords_no_command_gives_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTUNE_PASSWORDS", "no")
    assert run(settings, "user", "add", "mo@example.org")["password"] is None
    with pytest.raises(DataError, match=r"Nothing was changed.*attune user link ana@example.org"):
        run(settings, "user", "password", "ana@example.org")
