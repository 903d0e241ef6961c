"""Logging in and out: what a person, a guesser and a forger meet."""

from __future__ import annotations

import pytest
from flask import Flask

from attune.labeler.people import tokens, users
from attune.labeler.settings import Settings
from attune.labeler.web import access
from tests.labeler.web.conftest import Actor
from tests.support import factories


def test_a_person_logs_in_reads_and_logs_out(app: Flask, settings: Settings) -> None:
    factories.add_user(settings, "olga@example.org", "owner")
    olga = Actor(app)
    assert olga.get("/people").location == "/login?next=/people"
    reply = olga.send("/login?next=/people", email=" Olga@Example.org ", password=factories.PASSWORD)
    assert reply.location == "/people"
    assert "olga@example.org" in olga.get("/people").text
    assert olga.send("/logout", form="/").location == "/login"
    assert olga.get("/people").status_code == 302


@pytest.mark.parametrize("email", ["olga@example.org", "nobody@example.org"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    app: Flask, settings: Settings, email: str
) -> None:
    factories.add_user(settings, "olga@example.org", "owner")
    reply = Actor(app).send("/login", email=email, password="not the password")
    assert reply.status_code == 401
    assert "password is wrong" in reply.text


def test_the_sign_in_page_says_before_a_try_what_to_do_without_a_password(anybody: Actor) -> None:
    assert "login link" in anybody.get("/login").text


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""]
)
def test_a_login_never_leads_to_another_site(app: Flask, settings: Settings, wanted: str) -> None:
    factories.add_user(settings, "olga@example.org", "owner")
    olga = Actor(app)
    page = olga.client.get("/login", query_string={"next": wanted})
    assert page.status_code == 200
    from tests.labeler.web.conftest import TOKEN

    fields = {
        "email": "olga@example.org",
        "password": factories.PASSWORD,
        "csrf_token": TOKEN.search(page.text).group(1),
    }
    assert olga.client.post("/login", query_string={"next": wanted}, data=fields).location == "/"


def test_guessing_is_slowed_down_for_the_login_that_is_guessed_only(app: Flask, settings: Settings) -> None:
    for email in ("olga@example.org", "root@example.org"):
        factories.add_user(settings, email, "owner")
    guesser = Actor(app)
    statuses = [guesser.send("/login", email="olga@example.org", password=f"guess {n}").status_code for n in range(9)]
    assert statuses == [401] * 8 + [429]
    assert guesser.send("/login", email="OLGA@example.org", password=factories.PASSWORD).status_code == 429
    assert guesser.send("/login", email="root@example.org", password=factories.PASSWORD).status_code == 302


def test_successful_logins_are_not_counted(app: Flask, settings: Settings) -> None:
    factories.add_user(settings, "olga@example.org", "owner")
    assert {Actor(app, "olga@example.org").get("/").status_code for _ in range(12)} == {200}


def test_the_session_cookie_is_ours_alone_and_kept_from_scripts(app: Flask, settings: Settings) -> None:
    factories.add_user(settings, "olga@example.org", "owner")
    cookie = Actor(app).send("/login", email="olga@example.org", password=factories.PASSWORD).headers["Set-Cookie"]
    assert cookie.startswith("attune_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_new_password_ends_the_other_sessions_of_that_login(app: Flask, owner: Actor) -> None:
    elsewhere = Actor(app, "olga@example.org")
    fields = {"old": factories.PASSWORD, "new": "another good long one", "again": "another good long one"}
    assert owner.send("/account", **fields).status_code == 302
    assert owner.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert Actor(app).send("/login", email="olga@example.org", password=factories.PASSWORD).status_code == 401


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"old": "wrong"}, "not your current password"),
        ({"new": "short", "again": "short"}, "at least 10 characters"),
        ({"again": "something else entirely"}, "new passwords differ"),
    ],
)
def test_a_password_change_says_what_is_wrong(owner: Actor, change: dict[str, str], says: str) -> None:
    fields = {"old": factories.PASSWORD, "new": "another good long one", "again": "another good long one", **change}
    reply = owner.send("/account", **fields)
    assert reply.status_code == 422
    assert says in reply.text


def test_a_disabled_login_is_out_at_once(settings: Settings, owner: Actor) -> None:
    users.disable(settings, "olga@example.org")
    assert owner.get("/").status_code == 302


def test_a_form_from_another_site_is_refused(owner: Actor) -> None:
    reply = owner.client.post("/account", data={"old": factories.PASSWORD, "new": "x" * 12, "again": "x" * 12})
    assert reply.status_code == 400
    assert "came from another site" in reply.text


def test_a_link_cannot_log_anybody_out(owner: Actor) -> None:
    assert owner.get("/logout").status_code == 405


def test_a_forged_cookie_opens_nothing(app: Flask, anybody: Actor) -> None:
    anybody.client.set_cookie("attune_session", "eyJfdXNlcl9pZCI6IjEuYWJjIn0.Zg.forged")
    assert anybody.get("/").status_code == 302


def test_a_revoked_token_opens_nothing(settings: Settings, pipeline: Actor) -> None:
    assert pipeline.get("/").status_code == 403
    tokens.revoke(settings, "nightly")
    assert pipeline.get("/").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer nonsense", "Basic YTpi", "Bearer \u00fc", "x"])
def test_a_bad_authorization_header_is_refused_even_with_a_session(owner: Actor, header: str) -> None:
    reply = owner.get("/", headers={"Authorization": header.encode("latin-1").decode("latin-1")})
    assert reply.status_code == 401


def test_a_huge_form_is_refused(owner: Actor) -> None:
    assert owner.client.post("/account", data={"old": "x" * 2_000_000}).status_code == 413


def test_nobody_is_told_to_ask_themselves(owner: Actor, expert: Actor, admin: Actor) -> None:
    turned = owner.get("/tokens")
    assert turned.status_code == 403
    assert "Ask an admin." in turned.text
    assert "Ask an owner" not in turned.text
    assert "Ask an owner or an admin" in expert.get("/people").text
    assert admin.get("/tokens").status_code == 200
    for role in access.ROLES:
        for endpoint in access.RULES:
            if not access.allowed(endpoint, role):
                assert {"owner": "an owner", "admin": "an admin"}.get(role, "-") not in access.whom_to_ask(
                    endpoint, role
                )
