"""The console as a process: it answers, names what stops it, and logs each request with its id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from waitress.server import BaseWSGIServer, TcpWSGIServer

from attune.labeler import settings as reader
from attune.labeler.settings import Settings
from attune.labeler.web import serve as serving

pytestmark = pytest.mark.services


def start(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "attune.labeler.web.serve"],
            env={**os.environ, **settings.environment()},
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def ready(settings: Settings) -> None:
    """Return once the console answers."""
    for _ in range(600):
        try:
            if requests.get(f"{settings.web_address}/readyz", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail("the console did not start")


@pytest.fixture
def port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def test_it_answers_logs_with_the_requests_id_and_who_never_ends_a_request_keeps_nobody_out(
    tmp_path: Path, redis_url: str, port: int
) -> None:
    settings = reader.build({}, workspace=tmp_path, redis_url=redis_url, web_port=port)
    console = start(settings, tmp_path / "log")
    held: list[socket.socket] = []
    try:
        ready(settings)
        reply = requests.get(f"{settings.web_address}/", timeout=5)
        assert reply.url.endswith("/login?next=/")
        assert f"request={reply.headers['X-Request-ID']} GET /login 200" in (tmp_path / "log").read_text()
        for _ in range(150):
            held.append(socket.create_connection(("127.0.0.1", port)))
            held[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        assert requests.get(f"{settings.web_address}/healthz", timeout=20).ok
    finally:
        for one in held:
            one.close()
        console.kill()
        console.wait()


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"GET /healthz?" + b"pick=t0001-1&" * 3000 + b" HTTP/1.1\r\nHost: x\r\nCookie:   a=b; c=d \t ", None),
        (b"GET /healthz HTTP/1.1\r\nUser-Agent: " + b" " * 60_000 + b"x", 400),
        (b"GET /healthz HTTP/1.1\r\nA: x" + b"\r\n " * 10_000 + b"x", 400),
        (b"GET http://" + b"1" * 60_000 + b" HTTP", 400),
        (b"GET /healthz HTTP/1.1\r\nA: " + b"a" * 70_000, 431),
        (b"POST /login HTTP/1.1\r\nTransfer-Encoding: chunked", 501),
    ],
    ids=["a selection", "spaces", "lines that go on", "an address that ends wrongly", "too large", "chunks"],
)
def test_a_head_that_takes_long_to_read_is_refused_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, head: bytes, code: int | None
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(serving, "create_app", lambda settings: lambda environ, respond: [])
    monkeypatch.setattr("waitress.server.TcpWSGIServer", TcpWSGIServer)  # and back again
    monkeypatch.setattr(BaseWSGIServer, "run", lambda server: asked.update(server=server))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    serving.serve(reader.build({}, workspace=tmp_path, web_port=port))
    server = asked["server"]
    try:
        request = server.channel_class.parser_class(server.adj)
        request.received(head + b"\r\n\r\n")
        assert request.completed
        assert (request.error.code if request.error else None) == code
    finally:
        server.task_dispatcher.shutdown()
        server.close()


def test_a_busy_port_is_named(tmp_path: Path, redis_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        console = start(reader.build({}, workspace=tmp_path, redis_url=redis_url, web_port=port), tmp_path / "log")
        assert console.wait(timeout=120) == 11
    assert f"cannot listen on 127.0.0.1:{port}" in (tmp_path / "log").read_text()
    assert f"(process {os.getpid()}, LISTEN)" in (tmp_path / "log").read_text()
    assert "ATTUNE_WEB_PORT" in (tmp_path / "log").read_text()
