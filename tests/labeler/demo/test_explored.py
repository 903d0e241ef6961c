"""The demo asks for clusters, a map and spaces once; nobody waits for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from attune.labeler.demo import explored
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from tests.support import factories


def test_a_demo_asks_for_its_clusters_and_its_map_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = factories.workspace(tmp_path)
    monkeypatch.setattr(jobs, "hand_over", lambda *_: None)  # no Redis: what is asked for is in the records
    explored.begin(settings)
    explored.begin(settings)
    with reading(settings) as session:
        kinds = list(session.scalars(select(Job.kind).order_by(Job.created_at)))
    assert kinds == ["clusters", "map", "describe", "layers", "layers"]
