"""Real services for tests: one Redis and one Label Studio, started when first asked for and kept for the session.

Each process of pytest-xdist starts its own on free ports (Label Studio takes 350 MB), so tests may run side by side.
A test asks for ``live``: settings of a fresh workspace on those services, with migrated records and an empty Redis.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from attune.labeler.label_studio import LabelStudio, database_template, install, local, members
from attune.labeler.label_studio import projects as rooms
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.logins import ensure_user
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.webhooks import SECRET_HEADER
from attune.labeler.records.session import engine
from attune.labeler.services import free_ports, parts, readiness
from attune.labeler.services.process_runner import open_log, tail
from attune.labeler.settings import Settings, build, secrets
from tests.support import factories, inside_label_studio
from tests.support.quick_studio import quick

PASSWORD = "a-long-password"
EMAIL = "ana@example.org"


@dataclass(frozen=True)
class Services:
    """Where the session's Redis and Label Studio are."""

    settings: Settings
    token: str
    inside: inside_label_studio.Kept


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Redis and Label Studio on free ports, in a workspace of their own."""
    workspace = tmp_path_factory.mktemp("services")
    settings = free_ports(build(workspace=workspace))
    install.ensure(settings)
    database_template.place(settings, print)
    wanted = [part for part in parts.services_to_start(settings) if part.name in {"redis", "label-studio"}]
    started = [_start(_quick(part)) for part in wanted]
    inside = inside_label_studio.Kept(settings)
    try:
        for check in readiness.CHECKS[:3]:
            _await(check, settings, started, wanted)
        with (local.data_folder(settings) / ".env").open("a", encoding="utf-8") as written:
            written.write("\nSECRET_KEY=$begins-like-a-variable\n")  # as 1 of 50 that Label Studio makes; never ours
        yield Services(settings, secrets.load(settings.secrets).label_studio_token, inside)
    finally:
        inside.close()
        for process in started:
            process.terminate()
        for process in started:
            process.wait(10)


class SmallRedis:
    """A Redis of its own on a socket in ``folder``, to be stopped and started; ``keeps``: with its append-only file."""

    def __init__(self, folder: Path, keeps: bool = False) -> None:
        self.socket = folder / "redis.sock"
        self.address = f"unix://{self.socket}"
        kept = ("--appendonly", "yes", "--appendfsync", "always") if keeps else ()
        self._options = ("--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(folder), *kept)
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        self._server = subprocess.Popen([parts.redis_server(), *self._options], stdout=subprocess.DEVNULL)
        with Redis(unix_socket_path=str(self.socket)) as client:
            for _ in range(200):
                try:
                    client.ping()
                    return
                except RedisError:
                    time.sleep(0.05)
        raise AssertionError(f"Redis does not answer at {self.socket}")

    def stop(self) -> None:
        """Kill it, as from lack of memory."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None


@contextmanager
def redis_on_a_socket(folder: Path) -> Iterator[str]:
    """The address of a Redis of its own, for what needs no Label Studio."""
    server = SmallRedis(folder)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()


def _quick(part: parts.Part) -> parts.Part:
    return replace(part, environment=quick(part.environment)) if part.name == "label-studio" else part


def _start(part: parts.Part) -> subprocess.Popen[bytes]:
    with open_log(part.log) as log:
        return subprocess.Popen(part.command, env=part.environment, stdout=log, stderr=subprocess.STDOUT)


def _await(
    check: readiness.Check, settings: Settings, started: list[subprocess.Popen[bytes]], wanted: list[parts.Part]
) -> None:
    pause = threading.Event()
    for _ in range(1500):
        if check.ask(settings) is None:
            return
        for process, part in zip(started, wanted, strict=True):
            assert process.poll() is None, f"{part.title} ended:\n{tail(part.log)}"
        pause.wait(0.2)
    raise AssertionError(f"{check.name} is not ready: {check.ask(settings)}")


@pytest.fixture
def live(services: Services, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh workspace that uses the session's services as if they ran elsewhere."""
    settings = replace(
        services.settings,
        workspace=tmp_path / "workspace",
        redis_url=secrets.redis_address(services.settings),
        label_studio_url=services.settings.label_studio_address,
        label_studio_token=services.token,
    )
    with Redis.from_url(settings.redis_address) as connection:
        connection.flushall()
    factories.newest(settings)
    yield settings
    engine(settings.records_url).dispose()


@pytest.fixture
def ls(live: Settings) -> Iterator[LabelStudio]:
    """An administrator's connection."""
    made = LabelStudio.connect(live)
    yield made
    made.close()


class Receiver:
    """A web server that keeps what Label Studio posts: (action, secret shown, body).

    It stands where the console would: Label Studio calls no other address.
    """

    def __init__(self, port: int) -> None:
        self.got: list[tuple[str, str | None, dict[str, Any]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.got.append((body["action"], self.headers.get(SECRET_HEADER), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver(services: Services) -> Iterator[Receiver]:
    """Something for webhooks to reach."""
    made = Receiver(services.settings.web_port)
    yield made
    made.close()


_numbers = count(1)


@pytest.fixture
def project(ls: LabelStudio, receiver: Receiver) -> Iterator[Project]:
    """An empty queue of Ana's for the question "Romantic?" with the classes romance, friendship, neither."""
    made = rooms.create(
        ls,
        f"romance · {next(_numbers)}",
        "Romantic?",
        ["romance", "friendship", "neither"],
        "<p>Look.</p>",
        receiver.url,
        "the-secret",
    )
    ensure_user(ls, EMAIL, PASSWORD)
    members.set_members(ls, {made.id: [EMAIL]})
    yield made
    rooms.delete(ls, made)


@pytest.fixture
def expert(live: Settings, ls: LabelStudio) -> Iterator[ExpertSession]:
    """Ana, logged in as her browser would be."""
    ensure_user(ls, EMAIL, PASSWORD)
    with ExpertSession.login(live.label_studio_address, EMAIL, PASSWORD) as session:
        yield session
