"""What samples come to: waits, what grows, and which part has the processor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.load.samples import KINDS, Sample
from benchmarks.load.slopes import Slope, second_half

ALL = "all parts"
UNITS = (("memory", "MiB"), ("handles", "files"))


def soak(kept: Sequence[Sample]) -> dict[str, Any]:
    """Figures of a whole run. ``waits`` are medians over the samples of each half; slopes are of the second half."""
    at = [one["at"] for one in kept]
    names = sorted({name for one in kept for name in one["parts"]})
    grows = {
        name: {unit: _told(_slope(kept, name, unit)) | _range(kept, name, unit) for unit, _ in UNITS}
        for name in (ALL, *names)
    }
    return {
        "minutes": round(at[-1] / 60, 1),
        "samples": len(kept),
        "answers": sum(one["waits"][kind].get("n", 0) for one in kept for kind in KINDS if kind.endswith(": answer")),
        "asked": kept[-1]["asked"],
        "starved": kept[-1]["starved"],
        "errors": kept[-1]["errors"],
        "load": round(float(np.median([one["load"] for one in kept])), 1),
        "parts": grows,
        "processor": processor(kept),
        "waits": {kind: _waits(kept, kind) for kind in KINDS},
    }


def series(kept: Sequence[Sample], name: str, unit: str) -> tuple[list[float], list[float]]:
    """(seconds, values) of one part, or of all parts together, where it ran."""
    if name == ALL:
        return [one["at"] for one in kept], [sum(part[unit] for part in one["parts"].values()) for one in kept]
    there = [one for one in kept if name in one["parts"]]
    return [one["at"] for one in there], [one["parts"][name][unit] for one in there]


def processor(kept: Sequence[Sample]) -> dict[str, float]:
    """Cores that each part had between the first sample and the last, most first; one that was started anew is left
    out of what it had before."""
    found: dict[str, float] = {}
    for before, after in pairwise(kept):
        for name, part in after["parts"].items():
            had = before["parts"].get(name, {"cpu": 0.0})["cpu"]
            found[name] = found.get(name, 0.0) + max(part["cpu"] - had, 0.0)
    seconds = kept[-1]["at"] - kept[0]["at"]
    shares = {name: round(cpu / seconds, 3) for name, cpu in found.items()} if seconds else {}
    return dict(sorted(shares.items(), key=lambda row: -row[1]))


def _slope(kept: Sequence[Sample], name: str, unit: str) -> Slope | None:
    return second_half(*series(kept, name, unit))


def _told(slope: Slope | None) -> dict[str, Any]:
    if slope is None:
        return {}
    rounded = {key: round(value, 2) for key, value in asdict(slope).items()}
    return rounded | {"grows": slope.grows}


def _range(kept: Sequence[Sample], name: str, unit: str) -> dict[str, float]:
    values = series(kept, name, unit)[1]
    return {"first": round(values[0], 1), "last": round(values[-1], 1), "most": round(max(values), 1)}


def _waits(kept: Sequence[Sample], kind: str) -> dict[str, Any]:
    halves = (kept[: len(kept) // 2], kept[len(kept) // 2 :])
    found: dict[str, Any] = {"n": sum(one["waits"][kind]["n"] for one in kept)}
    for name, half in zip(("first half", "second half"), halves, strict=True):
        waits = [one["waits"][kind] for one in half if one["waits"][kind]["n"]]
        if waits:
            found[name] = {q: round(float(np.median([one[q] for one in waits])), 3) for q in ("p50", "p95")}
    return found


def shown(found: dict[str, Any]) -> str:
    """Tables in Markdown."""
    lines = [
        f"{found['minutes']} minutes, {found['answers']} answers, load {found['load']}; an expert found no question "
        f"{found['starved']} times of {found['asked']}; errors: {found['errors'] or 'none'}",
        "",
        "| part | cores | memory, MiB: first, last | an hour [95 %] | files: first, last | an hour [95 %] |",
        "|---|---|---|---|---|---|",
    ]
    for name, units in found["parts"].items():
        cells = [f"{row['first']}, {row['last']} | {_interval(row)}" for row in units.values()]
        lines.append(f"| {name} | {found['processor'].get(name, '')} | {' | '.join(cells)} |")
    lines += ["", "| waited for | n | p50: first half, second | p95: first half, second |", "|---|---|---|---|"]
    for kind, row in found["waits"].items():
        cells = [", ".join(str(row.get(half, {}).get(q, "")) for half in ("first half", "second half"))
                 for q in ("p50", "p95")]  # fmt: skip
        lines.append(f"| {kind} | {row['n']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval(row: dict[str, Any]) -> str:
    return f"{row['an_hour']:+} [{row['lo']:+}, {row['hi']:+}]" if "an_hour" in row else ""


def speeds(rows: Sequence[dict[str, Any]]) -> str:
    """A table in Markdown with a column for each speed, and the part that had most of the processor below."""
    told = [f"{row['look']:g} s a look" if row["look"] else "as fast as it goes" for row in rows]
    lines = [f"| | {' | '.join(told)} |", f"|---|{'---|' * len(rows)}"]
    for kind in KINDS:
        waits = [row["waits"][kind] for row in rows]
        cells = [f"{one['p50']:g}, {one['p95']:g} ({one['n']})" if one["n"] else "" for one in waits]
        lines.append(f"| {kind}: p50, p95 (n) | {' | '.join(cells)} |")
    answers = [sum(row["waits"][kind]["n"] for kind in KINDS if kind.endswith(": answer")) for row in rows]
    rates = [f"{60 * n / row['seconds']:.0f}" for n, row in zip(answers, rows, strict=True)]
    lines.append(f"| answers a minute | {' | '.join(rates)} |")
    starved = [f"{row['starved']} of {row['asked']}" for row in rows]
    lines.append(f"| no question there | {' | '.join(starved)} |")
    lines.append(f"| answers without an order | {' | '.join(str(row['without an order']) for row in rows)} |")
    cores = [", ".join(f"{name} {share:.2f}" for name, share in list(row["processor"].items())[:4]) for row in rows]
    lines.append(f"| cores, most first | {' | '.join(cores)} |")
    lines.append(f"| load of the machine | {' | '.join(str(row['load']) for row in rows)} |")
    errors = [f"errors at {one}: {row['errors']}" for one, row in zip(told, rows, strict=True) if row["errors"]]
    return "\n".join([*lines, *errors])
