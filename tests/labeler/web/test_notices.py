"""The bell, the page behind it, and what each role finds there."""

from __future__ import annotations

import pytest

from attune.labeler.notices import notices
from attune.labeler.notices.notices import News
from attune.labeler.records.schema import Expert, Notice
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from tests.labeler.web.conftest import Actor

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def rung(settings: Settings, ana: Expert) -> Settings:
    notices.record_news(settings, [News("a", "drift", "romance has drifted", NASTY, "/attributes/romance")])
    notices.record_news(settings, [News("b", "waiting", "3 images wait for you", "Romance?", "/", expert=ana.id)])
    return settings


def test_the_bell_counts_what_this_person_has_not_read(rung: Settings, owner: Actor, expert: Actor) -> None:
    assert "Notices, 1 unread" in owner.get("/").text
    page = owner.get("/notices").text
    assert "romance has drifted" in page
    assert "3 images wait" not in page
    assert NASTY not in page
    reply = owner.send("/notices/1/read", form="/notices")
    assert reply.status_code == 302
    assert "unread" not in owner.get("/").text
    assert "Notices, 1 unread" in expert.get("/").text
    theirs = expert.get("/notices").text
    assert "3 images wait" in theirs
    assert "drifted" not in theirs
    assert expert.send("/notices/1/read", form="/notices").status_code == 404


def test_all_are_read_at_once_and_long_lists_have_pages(owner: Actor, settings: Settings) -> None:
    assert "No notices" in owner.get("/notices").text
    notices.record_news(settings, [News(f"k{i}", "published", f"version {i}", "", "/") for i in range(35)])
    page = owner.get("/notices").text
    assert 'rel="next"' in page
    owner.send("/notices/read", form="/notices")
    assert "unread" not in owner.get("/notices").text
    assert "Mark all as read" not in owner.get("/notices").text


def test_what_could_not_be_delivered_is_told_to_those_who_can_mend_it(
    rung: Settings, owner: Actor, expert: Actor
) -> None:
    with writing(rung) as session:
        for row in session.query(Notice):
            row.sent = {"mail": {"state": "failed", "tries": 6, "error": "The mail server refused."}}
    assert "not delivered: mail: The mail server refused." in owner.get("/notices").text
    assert "not delivered" not in expert.get("/notices").text


def test_the_api_lists_the_same(rung: Settings, owner: Actor, expert: Actor, pipeline: Actor) -> None:
    (told,) = owner.get("/api/v1/notices").json["notices"]
    assert (told["kind"], told["unread"]) == ("drift", True)
    assert [one["kind"] for one in expert.get("/api/v1/notices").json["notices"]] == ["waiting"]
    assert pipeline.get("/api/v1/notices").status_code == 403
