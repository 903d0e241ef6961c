"""The console as a process: it answers, names what stops it, and logs each request with its id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from attune.labeler import settings as reader
from attune.labeler.settings import Settings

pytestmark = pytest.mark.services


def start(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "attune.labeler.web.serve"],
            env={**os.environ, **settings.environment()},
            stdout=file,
            stderr=subprocess.STDOUT,
        )


@pytest.fixture
def port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def test_it_answers_and_logs_with_the_requests_id(tmp_path: Path, redis_url: str, port: int) -> None:
    settings = reader.build({}, workspace=tmp_path, redis_url=redis_url, web_port=port)
    console = start(settings, tmp_path / "log")
    try:
        for _ in range(600):
            try:
                if requests.get(f"{settings.web_address}/readyz", timeout=5).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        reply = requests.get(f"{settings.web_address}/", timeout=5)
        assert reply.url.endswith("/login?next=/")
        assert f"request={reply.headers['X-Request-ID']} GET /login 200" in (tmp_path / "log").read_text()
    finally:
        console.kill()
        console.wait()


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
