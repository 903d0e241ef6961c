"""Sessions as browsers meet them: a copied cookie, a second browser, a person who is sent away and comes back."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from attune.labeler.people import experts, invite, login_links, login_sessions, users
from attune.labeler.records.schema import ConsoleSession, Expert
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.origin import UNKNOWN, in_words
from attune.models.clock import now, set_clock
from attune.workers.runtime import schedule
from tests.labeler.web.conftest import Actor
from tests.support import factories

COOKIE = "attune_session"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0"
EDGE = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/139.0.0.0 Safari/537.36 Edg/139.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1"


def copied(app: Flask, browser: Actor) -> Actor:
    """Another browser with a copy of the cookie."""
    made, held = Actor(app), browser.client.get_cookie(COOKIE)
    assert held
    made.client.set_cookie(COOKIE, held.value)
    assert made.get("/account").status_code == 200
    return made


def is_out(browser: Actor) -> bool:
    """Whether the console sends this browser to its login page."""
    reply = browser.get("/account")
    return reply.status_code == 302 and str(reply.location).startswith("/login")


def test_a_copy_of_the_cookie_opens_nothing_after_the_logout(app: Flask, owner: Actor) -> None:
    thief, elsewhere = copied(app, owner), Actor(app, "olga@example.org")
    owner.send("/logout", form="/")
    assert is_out(thief)
    assert not is_out(elsewhere), "another browser of the same person goes on"


def test_a_copy_of_the_cookie_opens_nothing_after_the_next_login_in_that_browser(app: Flask, owner: Actor) -> None:
    thief = copied(app, owner)
    owner.send("/login", form="/account", email="olga@example.org", password=factories.PASSWORD)
    assert not is_out(owner)
    assert is_out(thief)


def test_nothing_of_before_comes_back_with_an_expert_who_left(
    app: Flask, settings: Settings, admin: Actor, expert: Actor, ana: Expert
) -> None:
    path = login_links.make(settings, ana.email).removeprefix(settings.web_address)
    experts.remove(settings, ana.email)
    assert is_out(expert)
    admin.send("/people/open", form="/people", email=ana.email)
    assert is_out(expert), "a login that is opened again opens no session of before"
    assert Actor(app).get(path).status_code in (403, 410)
    welcome = invite.invite(settings, ana.email)
    assert is_out(expert)
    assert Actor(app).get(path).status_code == 410
    assert users.verify(settings, ana.email, factories.PASSWORD) is None
    assert welcome.link
    fresh = Actor(app)
    assert fresh.send(welcome.link.removeprefix(settings.web_address)).location == "/account"
    assert not is_out(fresh)


def test_who_was_shut_out_comes_back_by_the_new_link_alone(app: Flask, admin: Actor, owner: Actor) -> None:
    page = "/people/person?email=olga@example.org"
    admin.send("/people/shut", form=page, email="olga@example.org")
    reply = admin.send("/people/open", form=page, email="olga@example.org")
    assert is_out(owner)
    login = {"email": "olga@example.org", "password": factories.PASSWORD}
    assert Actor(app).send("/login", **login).status_code == 401, "not by the password of before"
    link = reply.text.split("/welcome/")[1].split("<")[0]
    assert owner.send(f"/welcome/{link}").location == "/account"
    assert not is_out(owner)
    again = admin.send("/people/open", form=page, email="olga@example.org")
    assert "is not disabled" in admin.get(again.location).text
    assert not is_out(owner), "opening an open login changes nothing"


def test_one_sees_where_one_is_logged_in_and_ends_the_others(app: Flask, owner: Actor) -> None:
    elsewhere = Actor(app)
    elsewhere.client.environ_base |= {"HTTP_USER_AGENT": FIREFOX, "REMOTE_ADDR": "192.0.2.7"}
    elsewhere.send("/login", email="olga@example.org", password=factories.PASSWORD)
    page = owner.get("/account").text
    assert "Firefox on Windows" in page
    assert "192.0.2.7" in page
    assert page.count(">this browser<") == 1
    assert owner.send("/account/sessions", form="/account").location == "/account"
    assert is_out(elsewhere)
    page = owner.get("/account").text
    assert "1 other session ended." in page
    assert "Firefox" not in page
    assert "End other sessions" not in page


def test_a_session_runs_out_twelve_hours_after_the_login_and_is_swept(settings: Settings, owner: Actor) -> None:
    begun = now()
    with set_clock(lambda: begun + timedelta(hours=11, minutes=55)):
        assert not is_out(owner)
    with set_clock(lambda: begun + timedelta(hours=12, minutes=1)):
        assert is_out(owner), "whatever the browser does with its cookie"
        schedule.forget(settings)
    with reading(settings) as session:
        assert session.scalars(select(ConsoleSession)).all() == []


def test_that_a_browser_was_there_is_written_now_and_then(settings: Settings, owner: Actor) -> None:
    def seen() -> datetime:
        with reading(settings) as session:
            return session.scalars(select(ConsoleSession.last_seen)).one()

    first = seen()
    owner.get("/account")
    assert seen() == first, "most pages write nothing"
    with writing(settings) as session:
        session.execute(
            update(ConsoleSession).values(last_seen=now() - login_sessions.SEEN_EVERY - timedelta(seconds=1))
        )
    owner.get("/account")
    assert seen() >= first


def test_the_key_in_the_cookie_is_kept_nowhere(
    app: Flask, settings: Settings, caplog: pytest.LogCaptureFixture, owner: Actor
) -> None:
    caplog.set_level(logging.DEBUG)
    with Actor(app).client as client:
        browser = Actor(app)
        browser.client = client
        browser.send("/login", email="olga@example.org", password=factories.PASSWORD)
        with client.session_transaction() as held:
            key = held["_user_id"]
    assert login_sessions.find(settings, key)
    browser.send("/logout", form="/")
    assert login_sessions.find(settings, key) is None
    with reading(settings) as session:
        rows = session.execute(select(ConsoleSession.__table__)).all()
    assert len(key) >= 40
    assert key not in str(rows) + caplog.text


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (FIREFOX, "Firefox on Windows"),
        (EDGE, "Edge on a Mac"),
        (SAFARI, "Safari on an iPhone"),
        ("curl/8", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_browser_is_named_in_words(header: str, says: str) -> None:
    assert in_words(header) == says
