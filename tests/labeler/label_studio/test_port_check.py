"""Somebody else's program on our port is named, and not answered with advice about tokens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.port_check import DATA, whose
from attune.labeler.people import experts
from attune.labeler.settings import Settings
from attune.models.errors import LabelStudioRefused
from tests.support import factories

SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Refusing(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"detail": "legacy token authentication has been disabled"}).encode()
        self.send_response(int(sys.argv[1]))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *_): pass
server = HTTPServer(("127.0.0.1", 0), Refusing)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def listening(status: int, **environment: str) -> Iterator[int]:
    """A program that refuses whatever is asked, in a process of its own; its port."""
    command = [sys.executable, "-c", SERVER, str(status)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return factories.workspace(tmp_path / "mine")


def on(settings: Settings, port: int) -> Settings:
    return factories.workspace(settings.workspace, label_studio_port=port)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_another_workspaces_label_studio_is_named(settings: Settings, tmp_path: Path, status: int) -> None:
    with listening(status, **{DATA: str(tmp_path / "theirs" / "label-studio")}) as port:
        here = on(settings, port)
        with pytest.raises(LabelStudioRefused) as error:
            experts.add(here, "ana@studio.example")
        assert f"belongs to the workspace {tmp_path / 'theirs'}" in str(error.value)
        assert f"--free-ports --workspace {settings.workspace}" in str(error.value)
        assert "token" not in str(error.value)
        assert error.value.status == status


def test_a_program_that_attune_did_not_start_is_named(settings: Settings) -> None:
    said = r"used by .*process \d+, which is not this workspace's Label Studio"
    with listening(401) as port, LabelStudio.connect(on(settings, port)) as ls:  # noqa: SIM117 - the port comes first
        with pytest.raises(LabelStudioRefused, match=said):
            ls.me()


def test_our_own_is_never_somebody_elses(settings: Settings) -> None:
    with listening(401, **{DATA: str(settings.workspace / "label-studio")}) as port:
        assert whose(on(settings, port)) == ""
        with LabelStudio.connect(on(settings, port)) as ls, pytest.raises(LabelStudioRefused, match="legacy tokens"):
            ls.me()
    with listening(401) as port:
        named = factories.workspace(settings.workspace, label_studio_url=f"http://127.0.0.1:{port}")
        assert whose(named) == ""
    assert whose(on(settings, port)) == "", "nobody listens there any more"
