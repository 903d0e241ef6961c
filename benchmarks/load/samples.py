"""What a crowd costs and waits for, every some seconds: one line of JSON each, so that a run cut short tells too."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from attune.labeler.settings import Settings
from benchmarks.load.orders import KIND, RECORDED
from benchmarks.load.processes import parts
from benchmarks.load.seen import Seen

KINDS = (
    KIND, RECORDED, "Label Studio: next question", "Label Studio: answer", "labelling page: next question",
    "labelling page: answer", "console: page", "pull",
)  # fmt: skip
Sample = dict[str, Any]


def sample(settings: Settings, seen: Seen, since: float) -> Sample:
    """Now, and the waits since ``since`` seconds from the start."""
    waits = {kind: summary(seen.taken(kind, since)) for kind in KINDS}
    return {
        "at": round(monotonic() - seen.began, 1),
        "parts": {name: asdict(part) for name, part in parts(settings).items()},
        "waits": waits,
        "asked": seen.asked,
        "starved": seen.starved,
        "errors": dict(seen.errors),
        "load": round(os.getloadavg()[0], 1),
    }


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and how many; n alone where there are none."""
    if not seconds:
        return {"n": 0}
    p50, p95 = np.quantile(seconds, (0.5, 0.95))
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "n": len(seconds)}


def add(record: Path, one: Sample) -> None:
    """Keep one more."""
    with record.open("a") as file:
        file.write(json.dumps(one) + "\n")


def read(record: Path) -> list[Sample]:
    """All that were kept."""
    return [json.loads(line) for line in record.read_text().splitlines()]
