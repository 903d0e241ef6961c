"""The log of who saw and exported what: each picture and each download has a line, a page without them has none."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner

from attune.labeler import settings as reader
from attune.labeler.cli.main import attune
from attune.labeler.people import access_log
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.clock import now
from tests.labeler.web.conftest import Actor
from tests.support import factories


def test_pictures_downloads_and_refusals_are_logged_and_other_pages_are_not(
    settings: Settings, owner: Actor, expert: Actor, pipeline: Actor
) -> None:
    factories.add_assets(settings, 3, images=True)
    shown = owner.get("/explore").text
    owner.get("/account")
    expert.get("/people")
    pipeline.get("/api/v1/probes")
    looked, refused, exported = access_log.read(settings)
    assert (looked.who, looked.role, looked.kind, looked.path) == ("olga@example.org", "owner", "saw", "/explore")
    assert len(looked.images) == 3
    assert all(name in shown for name in looked.images)
    assert (refused.who, refused.kind, refused.images) == ("ana@example.org", "refused", [])
    assert (exported.who, exported.role, exported.kind) == ("nightly", "pipeline", "exported")
    (file,) = (settings.workspace / access_log.FOLDER).iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def entry(day: str, who: str, *images: str) -> access_log.Entry:
    return access_log.Entry(f"{day}T10:00:00+00:00", who, "owner", "127.0.0.1", "saw", "explore.page", "/e", [*images])


def test_the_command_says_who_saw_an_image(settings: Settings) -> None:
    access_log.write(settings, entry("2026-11-20", "anna", "poster-1"))
    access_log.write(settings, entry("2026-11-21", "ben", "poster-1", "poster-2"))
    access_log.write(settings, entry("2026-11-22", "ben", "poster-2"))
    with (settings.workspace / access_log.FOLDER / "2026-11-22.jsonl").open("a") as torn:
        torn.write('\n{"at": "2026-11-22T1')
    access_log.write(settings, entry("2026-11-22", "chidi", "poster-3"))
    place = ["--workspace", str(settings.workspace), "--json"]

    def said(*options: str) -> list[str]:
        result = CliRunner().invoke(attune, ["log", "access", *options, *place])
        assert result.exit_code == 0, result.output
        return [f"{one['at'][8:10]} {one['who']}" for one in json.loads(result.stdout)]

    assert said() == ["20 anna", "21 ben", "22 ben", "22 chidi"]
    assert said("--image", "poster-1") == ["20 anna", "21 ben"]
    assert said("--since", "2026-11-21", "--who", "BEN", "--last", "1") == ["22 ben"]
    assert said("--kind", "exported") == []


def test_days_are_kept_as_long_as_the_setting_says(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path, access_log_days=2)
    today = now()
    days = [f"{today - timedelta(days=back):%Y-%m-%d}" for back in (5, 3, 2, 0)]
    for day in days:
        access_log.write(settings, entry(day, "anna", "poster-1"))
    access_log.sweep(settings)
    assert sorted(file.stem for file in (tmp_path / access_log.FOLDER).iterdir()) == days[2:]
    access_log.sweep(reader.build({}, workspace=tmp_path, access_log_days=0))
    assert list((tmp_path / access_log.FOLDER).iterdir()) == []


def test_a_log_of_no_days_is_not_written(settings: Settings, owner: Actor) -> None:
    factories.add_assets(settings, 1, images=True)
    none = reader.build({}, workspace=settings.workspace, redis_url=settings.redis_url, access_log_days=0)
    Actor(create_app(none), "olga@example.org").get("/explore")
    assert list(access_log.read(none)) == []
