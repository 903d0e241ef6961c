"""Health tells up or down, and nothing that a stranger could use."""

from __future__ import annotations

from pathlib import Path

from attune.labeler import settings as reader
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from tests.labeler.web.conftest import Actor


def test_alive_and_ready(anybody: Actor) -> None:
    assert anybody.get("/healthz").json == {"status": "up"}
    assert anybody.get("/readyz").json == {"status": "up"}


def test_alive_but_not_ready_without_redis(tmp_path: Path) -> None:
    actor = Actor(create_app(reader.build({}, workspace=tmp_path, redis_url=f"unix://{tmp_path}/none.sock")))
    assert actor.get("/healthz").status_code == 200
    reply = actor.get("/readyz")
    assert reply.status_code == 503
    assert reply.json == {"status": "down"}


def test_not_ready_without_the_records(settings: Settings, anybody: Actor) -> None:
    from attune.labeler.records.session import engine

    engine(settings.records_url).dispose()
    (settings.workspace / "records.sqlite").write_bytes(b"no database at all, but long enough to be read" * 100)
    for rest in settings.workspace.glob("records.sqlite-*"):
        rest.unlink()
    assert anybody.get("/readyz").status_code == 503
