"""Real photographs with ready-made vectors: from a folder to a published probe, answered through Label Studio."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attune.labeler import settings as reader
from attune.labeler.catalog.listing import versions
from attune.labeler.services import Stack, free_ports
from benchmarks import photographs
from tests.support import quick_studio

SHARED = Path(os.environ.get("ATTUNE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
pytestmark = [
    pytest.mark.services,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (SHARED / "photos" / "images").is_dir(), reason=f"no photographs in {SHARED}/photos"),
]


def test_photographs_to_a_published_probe(tmp_path: Path) -> None:
    settings = free_ports(reader.build(workspace=tmp_path, workers=1))
    with quick_studio.stacks(), Stack(settings):
        summary = photographs.prepare(settings, SHARED)
        assert summary["added"] >= 900
        # That an order follows each answer is what tests/journeys/test_expert.py shows.
        version = photographs.answer(settings, SHARED, 30, together=10)
        rows = photographs.curve(settings, SHARED)
    assert rows[-1]["answers"] == 30
    assert rows[-1]["lo"] <= rows[-1]["value"] <= rows[-1]["hi"]
    # Half of the faces are serious: a probe that knew nothing would be at about .5.
    assert rows[-1]["lo"] > 0.55
    listed = versions(settings, photographs.NAME)["versions"]
    assert any(row["version"] == version and "champion" in row["aliases"] for row in listed)
