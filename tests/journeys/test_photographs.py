"""Real photographs with ready-made vectors: from a folder to a published probe, answered through Label Studio."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attune.labeler.catalog.listing import versions
from attune.labeler.jobs import jobs
from attune.labeler.settings import Settings
from benchmarks import photographs

SHARED = Path(os.environ.get("ATTUNE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
pytestmark = [
    pytest.mark.services,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (SHARED / "photos" / "images").is_dir(), reason=f"no photographs in {SHARED}/photos"),
]


def learned_here(settings: Settings, name: str, counter: int) -> None:
    """That a worker does it, an order after each answer, is what tests/journeys/test_expert.py shows."""
    jobs.ask(settings, "sync", attribute=name)
    jobs.ask(settings, "learn", attribute=name)


def test_photographs_to_a_published_probe(live: Settings) -> None:
    settings = live
    summary = photographs.prepare(settings, SHARED)
    assert summary["added"] >= 900
    version = photographs.answer(settings, SHARED, 30, together=10, wait=learned_here)
    rows = photographs.curve(settings, SHARED)
    assert rows[-1]["answers"] == 30
    assert rows[-1]["lo"] <= rows[-1]["value"] <= rows[-1]["hi"]
    # Half of the faces are serious: a probe that knew nothing would be at about .5.
    assert rows[-1]["lo"] > 0.55
    listed = versions(settings, photographs.NAME)["versions"]
    assert any(row["version"] == version and "champion" in row["aliases"] for row in listed)
