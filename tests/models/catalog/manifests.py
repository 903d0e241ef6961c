"""A manifest to try things with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attune.models.catalog.manifest import FileEntry, Manifest


def make(**changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "attribute": "romance",
        "revision": 2,
        "question": "Romance, friendship or neither?",
        "definition": "Two people in love – seen, not told.",
        "classes": ("romance", "friendship", "neither"),
        "version": 7,
        "encoder": {"library": "open_clip", "dimension": 4},
        "thresholds": {"romance": 0.5, "friendship": 0.4, "neither": 0.5},
        "metrics": {"average_precision": {"value": 0.61, "lo": 0.5, "hi": 0.7, "n": 40}},
        "labels": {"counts": {"romance": 10, "friendship": 20, "neither": 30}, "experts": 3},
        "data_digest": "d" * 64,
        "files": {"probe.safetensors": FileEntry("a" * 64, 123)},
        "created_at": datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC),
        "code_version": "0.1.0",
    }
    return Manifest(**(values | changes))
