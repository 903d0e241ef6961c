"""Guessing is slowed down for who guesses; whoever knows the password gets in from elsewhere meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from attune.labeler.settings import Settings
from attune.labeler.web import throttle
from attune.labeler.web.app import create_app
from tests.labeler.web.conftest import Actor
from tests.support import factories

OLGA = "olga@example.org"


@pytest.fixture(autouse=True)
def olga(settings: Settings) -> None:
    factories.add_user(settings, OLGA, "owner")


def visitor(app: Flask, address: str, forwarded: str | None = None) -> Actor:
    made = Actor(app)
    made.client.environ_base["REMOTE_ADDR"] = address
    if forwarded is not None:
        made.client.environ_base["HTTP_X_FORWARDED_FOR"] = forwarded
    return made


def guesses(actor: Actor, count: int, email: str = OLGA) -> list[int]:
    return [actor.send("/login", email=email, password=f"guess {n}").status_code for n in range(count)]


def enters(actor: Actor) -> int:
    return actor.send("/login", email=OLGA, password=factories.PASSWORD).status_code


def test_the_right_password_opens_from_elsewhere_while_somebody_guesses(app: Flask) -> None:
    guesser = visitor(app, "203.0.113.7")
    assert guesses(guesser, 9) == [401] * 8 + [429]
    assert enters(guesser) == 429, "the guesser does not get in by the right one either"
    assert enters(visitor(app, "198.51.100.20")) == 302
    for number in range(5):  # from many places, and still nobody is shut out
        guesses(visitor(app, f"203.0.113.{10 + number}"), 9)
    assert enters(visitor(app, "198.51.100.21")) == 302


def test_one_network_address_does_not_get_far_with_many_logins(app: Flask) -> None:
    guesser = visitor(app, "203.0.113.7")
    statuses = [code for n in range(31) for code in guesses(guesser, 1, f"person{n}@example.org")]
    assert statuses == [401] * 30 + [429]
    assert enters(visitor(app, "198.51.100.20")) == 302


def test_addresses_of_one_ipv6_network_are_one_guesser(app: Flask) -> None:
    statuses = [guesses(visitor(app, f"2001:db8:1:2::{n:x}"), 1)[0] for n in range(9)]
    assert statuses == [401] * 8 + [429]
    assert enters(visitor(app, "2001:db8:1:3::1")) == 302


def test_an_ipv4_address_written_as_ipv6_is_the_same_guesser(app: Flask) -> None:
    assert guesses(visitor(app, "203.0.113.7"), 8) == [401] * 8
    assert guesses(visitor(app, "::ffff:203.0.113.7"), 1) == [429]
    assert enters(visitor(app, "::ffff:198.51.100.20")) == 302


def test_behind_a_proxy_it_is_the_visitors_address_that_counts(settings: Settings) -> None:
    app = create_app(replace(settings, proxies=1))
    assert guesses(visitor(app, "10.0.0.2", "203.0.113.7"), 9)[-1] == 429
    assert enters(visitor(app, "10.0.0.2", "198.51.100.20")) == 302
    # What the visitor wrote into the header stands before what the proxy added.
    assert guesses(visitor(app, "10.0.0.2", "1.2.3.4, 203.0.113.7"), 1) == [429]


def test_without_a_proxy_nobody_gives_an_address_of_their_own(app: Flask) -> None:
    assert guesses(visitor(app, "203.0.113.7", "1.1.1.1"), 8) == [401] * 8
    assert guesses(visitor(app, "203.0.113.7", "2.2.2.2"), 1) == [429]


def test_what_is_remembered_of_a_guesser_is_bounded(app: Flask) -> None:
    storage = throttle.limiter.storage
    storage.reset()
    for number in range(40):
        guesses(visitor(app, "203.0.113.7"), 1, f"{'x' * 2000}{number}@example.org")
    held = storage.storage  # type: ignore[attr-defined]  # of the memory storage
    assert len(held) <= 31
    assert max(map(len, held)) < 200


def test_links_that_open_nothing_are_counted_for_their_visitor_alone(app: Flask) -> None:
    guesser = visitor(app, "203.0.113.7")
    codes = [guesser.get(f"/welcome/no-link-{n}").status_code for n in range(31)]
    assert set(codes[:30]) <= {403, 410}
    assert codes[30] == 429
    assert visitor(app, "198.51.100.20").get("/welcome/no-link").status_code in {403, 410}
