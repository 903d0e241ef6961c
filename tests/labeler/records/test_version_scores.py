"""Rows of versions as they were written before scores had a type: they load, and are written back as they were."""

from __future__ import annotations

from typing import Any

import pytest

from attune.labeler.records.version_scores import VersionScores

DRIFT: dict[str, Any] = {
    "attribute": "romance",
    "version": 3,
    "at": "2026-03-01T12:00:00+00:00",
    "published_on": 900,
    "n": 150,
    "titles": 40,
    "rule": {"psi": 0.1},
    "enough": True,
    "shifts": [{"name": "romance", "psi": 0.4, "psi_by_chance": 0.02, "histogram": {"edges": [0.0, 1.0]}}],
    "looks": 2,
    "looked_at": 150,
    "alarm": {"at": "2026-03-01T12:00:00+00:00", "classes": ["romance"], "look": 2, "n": 150, "level": 0.001},
    "seen": 160,
}
WHOLE: dict[str, Any] = {
    "parts": {"part-00000.parquet": "ab"},
    "assets": {"part-00000.parquet": 900},
    "split": {"name": "0f", "waiting": ["part-00001.parquet"]},
    "scored_until": 900,
    "baseline": {"at": "2026-02-01T12:00:00+00:00", "last_key": 900, "classes": {"romance": {"n": 900, "titles": 9}}},
    "drift": DRIFT,
}


@pytest.mark.parametrize(
    "row",
    [
        WHOLE,
        {},
        {"split": {"name": None, "waiting": []}, "parts": WHOLE["parts"], "assets": WHOLE["assets"]},
        {"drift": DRIFT | {"alarm": None, "shifts": [], "enough": False}},
        {"scored_until": 0},
    ],
    ids=["whole", "before scoring", "one job", "few new assets", "nothing to score"],
)
def test_a_row_is_written_back_as_it_was(row: dict[str, Any]) -> None:
    assert VersionScores.from_dict(row).to_dict() == row


def test_a_row_without_parts_loads() -> None:
    found = VersionScores.from_dict({"drift": {"alarm": {"at": "", "classes": ["romance"], "n": 150}}, "later": 1})
    assert found.drift is not None
    assert (found.drift.alarm.classes, found.drift.alarm.n, found.drift.seen) == (["romance"], 150, 0)
    assert (found.scored_until, found.baseline, found.split) == (None, None, None)
    assert VersionScores.from_dict(None) == VersionScores()
