"""A Label Studio that runs elsewhere without Attune's modules: what can be ended from here, and what is said of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from attune.labeler.label_studio import accounts, database_template, door, install, logins, members, projects
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.people import experts
from attune.labeler.services import doctor, free_ports, parts, readiness
from attune.labeler.services.process_runner import open_log
from attune.labeler.settings import Settings, build, secrets
from attune.models.errors import LabelStudioRefused, SettingsError
from tests.support import inside_label_studio
from tests.support.services import PASSWORD, _await

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(300)]
EMAIL = "ana@example.org"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings that name a Label Studio as it is shipped."""
    settings = free_ports(build(workspace=tmp_path_factory.mktemp("bare")))
    install.ensure(settings)
    database_template.place(settings, print)
    part = next(one for one in parts.services_to_start(settings) if one.name == "label-studio")
    shipped = {name: value for name, value in part.environment.items() if name != "DJANGO_SETTINGS_MODULE"}
    shipped["SSRF_PROTECTION_ENABLED"] = "false"
    with open_log(part.log) as log:
        process = subprocess.Popen(part.command, env=shipped, stdout=log, stderr=subprocess.STDOUT)
    try:
        for check in readiness.CHECKS[1:3]:
            _await(check, settings, [process], [part])
        token = secrets.load(settings.secrets).label_studio_token
        yield replace(settings, label_studio_url=settings.label_studio_address, label_studio_token=token)
    finally:
        process.terminate()
        process.wait(10)


def test_a_leaver_reads_no_more_and_what_stays_open_is_said(bare: Settings) -> None:
    with LabelStudio.connect(bare) as ls:
        assert not door.is_guarded(ls)
        user = logins.ensure_user(ls, EMAIL, PASSWORD)
        made = projects.create(ls, "a queue", "Romantic?", ["yes", "no"], "", bare.webhook_address, "the-secret")
        members.set_members(ls, {made.id: [EMAIL]})
        assert members.current_members(ls) is None
        link = ls.request("GET", "/api/invite")["invite_url"]
        with ExpertSession.login(ls.address, EMAIL, PASSWORD) as ana:
            listed = f"{ls.address}/api/tasks?project={made.id}"
            assert ana._session.get(listed).status_code == 200
            told = door.end_access(ls, EMAIL)
            assert ana._session.get(listed).status_code == 403
        assert told.ended == ("membership of Label Studio's organisation", "invitation link renewed")
        assert len(told.still_open) == 1
        assert f"label-studio reset_password --username {EMAIL}" in told.still_open[0]
        assert user not in accounts.addresses(ls), "the name that Label Studio gives now is nobody's address"
        with (
            requests.Session() as session,
            pytest.raises(LabelStudioRefused, match=r"did not add the user back@example\.org"),
        ):
            logins.accept(ls, session, ls.address + link, "back@example.org", PASSWORD)
        assert accounts.find_user(ls, "back@example.org") is None
        assert door.end_access(ls, EMAIL).still_open == told.still_open, "done twice it says the same"
        assert "no longer open" not in told.still_open[0], "nobody here knows what they open"
        never = door.end_access(ls, "never@example.org", had_login=False)
        assert never == door.Ended(("invitation link renewed",), ()), "nothing stays of who was never there"
        with pytest.raises(SettingsError, match="without Attune's modules"):
            door.open_login(ls, EMAIL, PASSWORD)
        user_there, help_text = experts.label_studio_login(bare, ls, EMAIL, PASSWORD)
        assert user_there is None
        assert f"label-studio reset_password --username {EMAIL}" in help_text
        followed = re.findall(r"`((?:from|Organ)[^`]+)`", help_text)
        inside_label_studio.run(bare, "\n".join([*followed, "print(json.dumps(None))"]))
        assert accounts.find_user(ls, EMAIL) == user, "what the text says to do lets them in again"
        assert "reset_password" in experts.label_studio_login(bare, ls, EMAIL, PASSWORD)[1]
        with pytest.raises(LabelStudioRefused, match="administrator"):
            door.end_access(ls, bare.label_studio_email)


def test_an_invitation_that_was_used_lets_nobody_else_in(bare: Settings) -> None:
    with LabelStudio.connect(bare) as ls:
        before = ls.request("GET", "/api/invite")["token"]
        logins.ensure_user(ls, "carl@example.org", PASSWORD)
        assert ls.request("GET", "/api/invite")["token"] != before


def test_the_doctor_says_that_the_guard_is_missing(bare: Settings, tmp_path: Path) -> None:
    found = doctor.guard(bare)
    assert found.state == "warn"
    assert "see and change every project" in found.found
