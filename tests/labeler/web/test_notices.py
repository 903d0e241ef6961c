"""The bell, the page behind it, and what each role finds there."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from attune.labeler.notices import mail_choice, notices
from attune.labeler.notices.notices import News
from attune.labeler.records.schema import Attribute, Expert, Job, Notice
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
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
    notices.record_news(settings, [News(f"k{i}", f"kind {i}", f"version {i}", "", "/") for i in range(25)])
    page = owner.get("/notices").text
    assert 'rel="next"' in page
    owner.send("/notices/read", form="/notices")
    assert "unread" not in owner.get("/notices").text
    assert "Mark all as read" not in owner.get("/notices").text


def test_notices_of_one_kind_and_question_stand_together_the_newest_first(
    owner: Actor, settings: Settings, romance: Attribute
) -> None:
    told = [("drift", romance.id, 0), ("published", romance.id, 1), ("drift", None, 2), ("drift", romance.id, 3)]
    for kind, attribute, number in told:
        notices.record_news(settings, [News(f"k{number}", kind, f"news {number}", "", "/", attribute)])
    page = owner.get("/notices").text
    assert re.findall(r"news \d(?=</a>)", page) == ["news 3", "news 0", "news 2", "news 1"]
    assert page.count(f'<span class="soft">{romance.question}</span>') == 2
    assert "1 older" in page


def test_an_empty_queue_is_filled_where_its_notice_stands(
    owner: Actor, expert: Actor, settings: Settings, romance: Attribute
) -> None:
    notices.record_news(settings, [News("k", "empty queue", "a queue is empty", "", "/", romance.id)])
    assert 'action="/attributes/romance/learn"' in owner.get("/notices").text
    assert "/learn" not in expert.get("/notices").text


def test_what_was_given_up_is_sent_again_by_those_who_manage(rung: Settings, owner: Actor, expert: Actor) -> None:
    with writing(rung) as session:
        for row in session.query(Notice):
            row.sent = {"mail": {"state": "failed", "tries": 6, "error": "refused"}}
    assert "Send again" not in expert.get("/notices").text
    assert "/notices/1/send" in owner.get("/notices").text
    assert owner.send("/notices/1/send", form="/notices").status_code == 302
    with reading(rung) as session:
        row = session.get_one(Notice, 1)
        assert (row.sent["mail"]["state"], row.due_at is not None) == ("waiting", True)
        (job,) = session.query(Job).filter_by(kind="notify")
    page = owner.get("/notices").text
    assert "sent again within a minute" in page
    assert "/notices/1/send" not in page
    assert owner.send("/notices/2/send", form="/notices").status_code == 404, "an expert's own is nobody else's"
    assert job.state == "queued"


def test_each_person_chooses_which_kinds_come_by_mail(
    settings: Settings, redis_url: str, owner: Actor, expert: Actor
) -> None:
    page = owner.get("/notices").text
    assert "ATTUNE_SMTP_URL</code> is not set" in page
    assert 'name="kinds"' not in page
    app = create_app(replace(settings, smtp_url="smtp://127.0.0.1:1"))
    olga, ana = Actor(app, "olga@example.org"), Actor(app, "ana@example.org")
    assert olga.get("/notices").text.count(" checked") == len(mail_choice.OWNERS) + len(mail_choice.OWN)
    assert ana.get("/notices").text.count(" checked") == len(mail_choice.OWN)
    assert "job fails" not in ana.get("/notices").text
    olga.send("/notices/mail", form="/notices", kinds="drift")
    assert re.findall(r'value="([\w ]+)" checked', olga.get("/notices").text) == ["drift"]
    ana.send("/notices/mail", form="/notices", kinds="drift")
    assert "no kind of notice that you get" in ana.get("/notices").text
    assert ana.get("/notices").text.count(" checked") == len(mail_choice.OWN)


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
