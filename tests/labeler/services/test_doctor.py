"""The doctor finds what is broken and says what to do."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rq import Worker
from rq.serializers import JSONSerializer
from sqlalchemy import select

from attune.labeler.cli import doctor as command
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import engine, writing
from attune.labeler.services import doctor, doctor_content, free_ports
from attune.labeler.services.finding import Finding
from attune.labeler.services.parts import redis_server
from attune.labeler.settings import Settings, build, secrets
from attune.models.clock import now
from tests.support.factories import add_assets, workspace


def examined(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in doctor.examine(settings)}


def until_open(port: int) -> None:
    for _ in range(200):
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), 1).close()
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")


@pytest.fixture
def nowhere(tmp_path: Path) -> Settings:
    """A workspace that nothing was ever started on."""
    return free_ports(build({}, workspace=tmp_path / "none", pretrained=str(tmp_path / "none.safetensors")))


def test_a_fresh_machine_is_told_to_start(nowhere: Settings) -> None:
    found = examined(nowhere)
    assert list(found) == list(doctor.CHECKS)
    assert found["python"].state == "ok"
    assert (found["workspace"].state, "does not exist" in found["workspace"].found) == ("warn", True)
    assert {found[name].state for name in ("secrets", "records", "encoder")} == {"warn"}
    silent = ("redis", "label studio", "web app")
    assert {found[name].state for name in silent} == {"fail"}
    assert all(found[name].found.startswith("does not answer at ") for name in silent)
    assert all("attune up" in found[name].todo for name in silent)
    assert {found[name].state for name in ("workers", "token", "guard", "clock", "webhooks")} == {"skip"}
    assert not nowhere.workspace.exists(), "looking changes nothing"


def test_where_nothing_runs_the_advice_comes_once(nowhere: Settings) -> None:
    told = command.format_findings(list(doctor.examine(nowhere)))
    assert told.count("Start everything: `attune up`") == 1
    assert "skip  the rest      images, workers, token, guard, clock, webhooks" in told
    assert "Traceback" not in told
    assert "HTTPConnectionPool" not in told


def test_a_redis_of_another_workspace_is_told_from_none_and_records_not_made_are_asked_nothing(
    nowhere: Settings, tmp_path: Path
) -> None:
    """As where the demo still runs on the ports that a new workspace would take."""
    secrets.load(nowhere.secrets)
    words = [redis_server(), "--port", str(nowhere.redis_port), "--bind", "127.0.0.1", "--requirepass", "of-the-demo"]
    with subprocess.Popen([*words, "--save", "", "--dir", str(tmp_path)], stdout=subprocess.DEVNULL) as other:
        try:
            until_open(nowhere.redis_port)
            found = examined(nowhere)
        finally:
            other.terminate()
    assert found["redis"].state == "fail"
    assert found["redis"].found.endswith("refuses this workspace's password")
    assert "attune up --free-ports" in found["redis"].todo
    assert found["records"].found == "not made yet"
    assert found["webhooks"].state == "skip"


class _Ready(BaseHTTPRequestHandler):
    """As another workspace's console and Label Studio answer."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"release": "1.23.2"}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_what_answers_where_a_workspace_was_never_started_is_somebody_elses(nowhere: Settings) -> None:
    ports = (nowhere.web_port, nowhere.label_studio_port)
    servers = [ThreadingHTTPServer(("127.0.0.1", port), _Ready) for port in ports]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        found = examined(nowhere)
        told = examined(replace(nowhere, label_studio_url=nowhere.label_studio_address))
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
    for name in ("web app", "label studio"):
        assert found[name].state == "fail"
        assert "this workspace was never started" in found[name].found
        assert "attune up --free-ports" in found[name].todo
    assert {found[name].state for name in ("token", "guard", "clock", "webhooks")} == {"skip"}
    assert told["label studio"].state == "ok", "one that was named is ours to use"


def test_readable_secrets_are_named_with_the_command_that_helps(nowhere: Settings) -> None:
    secrets.load(nowhere.secrets)
    assert examined(nowhere)["secrets"].state == "ok"
    nowhere.secrets.chmod(0o644)
    found = examined(nowhere)["secrets"]
    assert found.state == "fail"
    assert found.todo == f"chmod 600 {nowhere.secrets}"


def test_old_records_are_named_with_both_schemas(nowhere: Settings) -> None:
    import sqlite3
    from contextlib import closing

    nowhere.workspace.mkdir()
    with closing(sqlite3.connect(nowhere.workspace / "records.sqlite")) as file:
        file.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        file.execute("INSERT INTO alembic_version VALUES ('0000')")
        file.commit()
    found = examined(nowhere)["records"]
    assert found.state == "fail"
    assert "schema 0000, but the newest is" in found.found


def test_a_workspace_that_cannot_be_written_is_told(nowhere: Settings) -> None:
    found = doctor.disk(replace(nowhere, workspace=Path("/proc/nothing")))
    assert found.state == "fail"
    assert "ATTUNE_WORKSPACE" in found.todo


@pytest.mark.services
def test_where_no_worker_only_ends_access_the_doctor_says_what_waits(live: Settings) -> None:
    others = Worker(["access", "learn"], connection=jobs.connect(live), serializer=JSONSerializer)
    alone = Worker(jobs.ACCESS, connection=jobs.connect(live), serializer=JSONSerializer)
    others.register_birth()
    found = doctor.workers(live)
    assert (found.state, found.found) == ("warn", "1 running, 0 jobs waiting, none of them only for ending access")
    assert "`attune up`" in found.todo
    alone.register_birth()
    assert doctor.workers(live).state == "ok"
    for worker in (others, alone):
        worker.register_death()


def test_images_of_an_older_reading_are_counted(tmp_path: Path) -> None:
    made = workspace(tmp_path / "workspace")
    add_assets(made, 5)
    assert doctor_content.images(made).state == "ok"
    with writing(made) as session:
        first, second, *_ = session.scalars(select(Asset).order_by(Asset.id))
        first.reading, second.moved_at = 1, now()
    found = doctor_content.images(made)
    assert (found.state, "1 changed" in found.found, "1 not yet read" in found.found) == ("warn", True, True)
    assert "attune assets reread" in found.todo
    engine(made.records_url).dispose()
