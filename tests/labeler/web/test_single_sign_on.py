"""Logins by a company's OpenID Connect provider, and those who try to come in by a false one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug.test import TestResponse

from attune.labeler.people import login_links, users
from attune.labeler.people.login_sessions import Origin
from attune.labeler.records.schema import User
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.labeler.settings.build import build
from attune.labeler.web import single_sign_on
from attune.labeler.web.app import create_app
from attune.models.clock import now
from attune.models.errors import SettingsError
from tests.labeler.web.conftest import TOKEN, Actor
from tests.support import oidc_provider
from tests.support.oidc_provider import Provider

OLGA, EVE = "olga@example.org", "eve@example.org"


@pytest.fixture(scope="module")
def house() -> Iterator[Provider]:
    with oidc_provider.running() as provider:
        yield provider


@pytest.fixture
def provider(house: Provider) -> Provider:
    """Says what is true, unless a test changes it."""
    house.email, house.claims, house.sign = OLGA, {}, None
    return house


@pytest.fixture
def ours(settings: Settings, provider: Provider, tmp_path: Path) -> Settings:
    """Olga, an owner, was added; the provider is set."""
    secret = tmp_path / "secret"
    secret.write_text(oidc_provider.SECRET + "\n")
    secret.chmod(0o600)
    with writing(settings) as session:
        session.add(User(email=OLGA, role="owner", password_hash="scrypt", created_at=now()))
    client = {"oidc_issuer": provider.issuer, "oidc_client_id": oidc_provider.CLIENT, "oidc_secret_file": secret}
    return replace(settings, **client)


@pytest.fixture
def app(ours: Settings) -> Flask:
    return create_app(ours)


def sent_back(visitor: Actor, to: str = "/people") -> str:
    """Log in at the provider; the path that it sends the browser back to."""
    there = visitor.get(f"/login/single?next={to}").location
    assert there
    back = urlsplit(requests.get(there, allow_redirects=False, timeout=10).headers["Location"])
    return f"{back.path}?{back.query}"


def come_in(visitor: Actor) -> TestResponse:
    return visitor.get(sent_back(visitor))


def is_in(visitor: Actor) -> bool:
    return visitor.get("/account").status_code == 200


def test_who_was_added_comes_in_with_the_role_of_here(app: Flask, provider: Provider) -> None:
    provider.email, provider.claims = "Olga@Example.org", {"role": "admin", "groups": ["admin"]}
    olga = Actor(app)
    assert "company" in olga.get("/login").text
    assert come_in(olga).location == "/people"
    assert is_in(olga)
    assert olga.get("/tokens").status_code == 403, "the provider makes nobody an admin"


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"aud": "another-program"},
        {"aud": ["another-program"]},
        {"aud": "another-program", "azp": oidc_provider.CLIENT},
        {"iss": "https://evil.example"},
        {"nonce": "of-another-login"},
        {"nonce": None},
        {"exp": 1_000_000_000},
        {"email": None},
        {"email": EVE},
    ],
    ids=str,
)
def test_a_token_that_proves_something_else_lets_nobody_in(
    app: Flask, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    visitor = Actor(app)
    assert come_in(visitor).location == "/login"
    assert not is_in(visitor)


def test_an_address_that_only_looks_like_ones_own_lets_nobody_in(
    app: Flask, ours: Settings, provider: Provider
) -> None:
    with writing(ours) as session:
        session.add(User(email="olga@strasse.example", role="owner", password_hash="scrypt", created_at=now()))
    provider.email = "olga@straße.example"
    visitor = Actor(app)
    assert come_in(visitor).location == "/login"
    assert not is_in(visitor)
    assert "Ask its admin for an address in plain letters" in visitor.get("/login").text


def test_an_issuer_that_the_provider_writes_otherwise_is_named_before_the_login(
    ours: Settings, provider: Provider
) -> None:
    named = build({"ATTUNE_OIDC_ISSUER": f"{provider.issuer}/"}).oidc_issuer
    visitor = Actor(create_app(replace(ours, oidc_issuer=named)))
    assert visitor.get("/login/single").location == "/login"
    assert f"the provider calls itself {provider.issuer}," in visitor.get("/login").text


def test_a_provider_that_hangs_holds_two_threads_at_most(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_sign_on, "PATIENCE", 0)
    visitor = Actor(app)
    with single_sign_on._turn(), single_sign_on._turn():
        assert visitor.get("/login/single").location == "/login"
        assert "Try again in a minute" in visitor.get("/login").text
    assert come_in(visitor).location == "/people"


def unsigned(claims: dict[str, Any]) -> str:
    """Alg "none"."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({"alg": "none"}, claims)]
    return b".".join([*parts, b""]).decode()


def by_the_secret(claims: dict[str, Any]) -> str:
    return str(jwt.encode({"alg": "HS256", "kid": "1"}, claims, OctKey.import_key(oidc_provider.SECRET)))


def by_another_key(claims: dict[str, Any]) -> str:
    return str(jwt.encode({"alg": "RS256", "kid": "1"}, claims, RSAKey.generate_key(2048)))


@pytest.mark.filterwarnings("ignore:Key size")
@pytest.mark.parametrize("sign", [unsigned, by_the_secret, by_another_key])
def test_a_token_that_the_providers_key_did_not_sign_lets_nobody_in(app: Flask, provider: Provider, sign: Any) -> None:
    provider.sign = sign
    visitor = Actor(app)
    assert come_in(visitor).location == "/login"
    assert not is_in(visitor)


def test_a_state_is_one_browsers_and_works_once(app: Flask, provider: Provider) -> None:
    olga, eve = Actor(app), Actor(app)
    back = sent_back(olga)
    assert eve.get(back).location == "/login", "a link that somebody is sent logs them in as nobody else"
    wrong = sent_back(eve).replace("state=", "state=x")
    assert eve.get(wrong).location == "/login"
    assert not is_in(eve)
    assert olga.get(sent_back(olga)).location == "/people"
    assert Actor(app).get(back).location == "/login"


def test_a_token_of_an_earlier_login_is_refused(app: Flask, provider: Provider) -> None:
    kept: list[str] = []

    def keep(claims: dict[str, Any]) -> str:
        kept.append(provider.signed(claims))
        return kept[-1]

    provider.sign = keep
    assert come_in(Actor(app)).location == "/people"
    provider.sign = lambda _: kept[0]
    visitor = Actor(app)
    assert come_in(visitor).location == "/login"
    assert not is_in(visitor)


def test_who_was_shut_out_or_removed_does_not_come_in(app: Flask, ours: Settings, provider: Provider) -> None:
    with writing(ours) as session:
        session.query(User).one().password_hash = users.GONE
    assert come_in(Actor(app)).location == "/login"
    with writing(ours) as session:
        user = session.query(User).one()
        user.password_hash, user.disabled_at = "scrypt", now()
    assert come_in(Actor(app)).location == "/login"


def test_without_passwords_the_right_one_opens_nothing(ours: Settings) -> None:
    users.set_password(ours, OLGA, "correct horse battery")
    form = {"email": OLGA, "password": "correct horse battery"}
    before = Actor(create_app(ours))
    token = TOKEN.search(before.get("/login").text)
    cookie = before.client.get_cookie("attune_session")
    assert token
    assert cookie
    visitor = Actor(create_app(replace(ours, passwords=False)))
    assert 'type="password"' not in visitor.get("/login").text
    visitor.client.set_cookie("attune_session", cookie.value)
    reply = visitor.client.post("/login", data={**form, "csrf_token": token.group(1)})
    assert reply.status_code == 401
    assert "turned off" in reply.text
    assert not is_in(visitor)
    assert before.send("/login", **form).status_code == 302, "the same form, where passwords are on"


def test_without_passwords_nobody_is_told_to_choose_one(ours: Settings) -> None:
    closed = replace(ours, passwords=False)
    visitor = Actor(create_app(closed))
    link = urlsplit(login_links.make(closed, OLGA)).path
    assert "password" not in visitor.get(link).text
    assert visitor.send(link).location == "/"
    account = visitor.get("/account").text
    assert "You log in to the console with your company" in account
    assert 'type="password"' not in account
    token = TOKEN.search(account)
    assert token
    new = {"new": "correct horse battery", "again": "correct horse battery", "csrf_token": token.group(1)}
    assert visitor.client.post("/account", data=new).status_code == 302
    assert "Passwords are turned off here, so none was saved" in visitor.get("/account").text
    assert users.log_in(ours, OLGA, new["new"], Origin()) is None


def test_settings_that_would_let_nobody_or_everybody_in_are_refused(ours: Settings) -> None:
    with pytest.raises(SettingsError, match="nobody could log in"):
        create_app(replace(ours, oidc_issuer=None, passwords=False))
    with pytest.raises(SettingsError, match="CLIENT_ID"):
        create_app(replace(ours, oidc_client_id=None))
    with pytest.raises(SettingsError, match="https"):
        create_app(replace(ours, oidc_issuer="http://login.example.org"))
    assert ours.oidc_secret_file
    ours.oidc_secret_file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        create_app(ours)


def test_without_a_provider_there_is_no_such_door(settings: Settings) -> None:
    visitor = Actor(create_app(settings))
    assert visitor.get("/login/single").status_code == 404
    assert "company" not in visitor.get("/login").text
