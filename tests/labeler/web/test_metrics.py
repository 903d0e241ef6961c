"""`/metrics`: the figures are true, nobody's name is in them, and the dashboard asks for nothing that is not there."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.people import tokens
from attune.labeler.records.schema import Annotation
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.clock import now
from tests.labeler.web.conftest import Actor
from tests.support import factories

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD = ROOT / "docker/grafana/attune.json"
HOW_TO = ROOT / "docs/how-to/watch-attune.md"


def read(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a pipeline's token reads of a workspace in full swing, without Redis."""
    folder = tmp_path_factory.mktemp("metrics")
    settings = reader.build({}, workspace=folder, redis_url=f"unix://{folder}/none.sock")
    factories.newest(settings)
    factories.add_studio(settings, images=False)
    factories.add_job(settings, "sync", "done", finished_at=now() - timedelta(seconds=100))
    with writing(settings) as session:
        skipped, deleted = session.scalars(select(Annotation).order_by(Annotation.id).limit(2))
        skipped.value, deleted.deleted_at = "skip", now()
    token = tokens.issue(settings, "watch")
    client = create_app(settings).test_client()
    headers = {"Authorization": f"Bearer {token}"}
    client.get("/no-such-page", headers=headers)
    reply = client.get("/metrics", headers=headers)
    assert reply.status_code == 200
    return reply.get_data(as_text=True)


def test_the_figures_are_those_of_the_records(told: str) -> None:
    found = read(told)
    assert found["attune_images", ()] == 60
    # 224 annotations: 4 are skips, one was deleted.
    assert sum(value for (name, _), value in found.items() if name == "attune_answers") == 219
    assert 90 < found["attune_sync_lag_seconds", ()] < 3600
    assert found["attune_runs", ("serious-expression",)] == 21
    assert found["attune_jobs", ("embed", "running")] == 1
    assert found["attune_part_up", ("records",)] == 1
    assert found["attune_part_up", ("redis",)] == 0
    assert not any(name == "attune_workers" for name, _ in found)  # not known is not 0
    assert found["attune_requests_total", ("none", "4xx")] == 1


def test_no_person_and_no_image_is_named(told: str) -> None:
    assert "ana" not in told.replace("analy", "")
    assert "example.org" not in told
    assert "img-" not in told


def test_records_that_do_not_open_are_told_and_the_rest_goes_on(settings: Settings, owner: Actor) -> None:
    from attune.labeler.views import metrics

    broken = reader.build({}, workspace=settings.workspace / "nowhere" / "at all")
    figures = {one.name: one for one in metrics.figures(broken)}
    assert (("records",), 0.0) in figures["attune_part_up"].values
    assert owner.get("/metrics").status_code == 200


def test_the_dashboard_and_the_page_name_only_what_is_there(told: str) -> None:
    known = {name for name, _ in read(told)} | {
        line.split()[2] for line in told.splitlines() if line.startswith("# TYPE")
    }
    of_redis = {"attune_waiting_jobs", "attune_workers"}  # not asked for above, where Redis is away
    asked = {
        name
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for target in panel["targets"]
        for name in re.findall(r"attune_\w+", target["expr"])
    }
    assert asked - known - of_redis == set()
    documented = set(re.findall(r"`(attune_\w+)`", HOW_TO.read_text(encoding="utf-8")))
    families = {line.split()[2] for line in told.splitlines() if line.startswith("# TYPE")}
    assert documented == {name for name in families if not name.endswith("_created")} | of_redis
