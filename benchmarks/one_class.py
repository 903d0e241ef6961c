"""How many answered images does a probe give a class that hardly anybody answered, or nobody?

    python -m benchmarks.one_class --json benchmarks/results/one_class.json

Unit vectors with four images a title, drawn from a seed. People answer 400 or 1,200 images: 0, 1, 2 or 5 of them with
the rare class (those that show it most), all others with the other class; the rare class is the first, then the second.
Either the pool holds nothing but the answered images, or five times as many. The learner sees the answers as it would
in an import: a fifth of the titles is kept for audits. Counted are the answered images that the probe labels as the
rare class; at most max(2, 2 x the rare answers) may be.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from attune.models.files.atomic import write_json
from attune.models.labels.labels import Labels
from attune.models.probes.learner import LearnerSettings, Prompts, fit
from attune.models.vectors.pool import Pool, unit_length
from benchmarks.machine import machine

CLASSES = ("yes", "no")
ANSWERED = (400, 1200)
RARE = (0, 1, 2, 5)
SHARES = (1, 5)  # the pool is as many times the answered images
DIM, PER_TITLE = 64, 4


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    rows = [
        row
        for answered in ANSWERED
        for times in SHARES
        for rare in RARE
        for first in (True, False)
        for phrases in (False, True)
        for row in rows_of(answered, times, rare, first, phrases, asked.seeds)
    ]
    result = {"rows": rows, "machine": machine()}
    _print(rows, asked.seeds)
    if asked.json:
        write_json(asked.json, result)
    return result


def rows_of(answered: int, times: int, rare: int, first: bool, phrases: bool, seeds: int) -> Iterator[dict[str, Any]]:
    """One row a seed."""
    for seed in range(seeds):
        labelled = count(answered, times, rare, first, phrases, seed)
        yield {
            "answered": answered,
            "pool": answered * times,
            "rare_answers": rare,
            "rare_class": CLASSES[0] if first else CLASSES[1],
            "phrases": phrases,
            "seed": seed,
            "labelled_rare": labelled,
            "most": (most := max(2, 2 * rare)),
            "within": labelled <= most,
        }


def count(answered: int, times: int, rare: int, first: bool, phrases: bool, seed: int) -> int:
    """The answered images that the probe labels as the rare class."""
    pool, shown, direction = world(answered * times, seed)
    rows = np.sort(np.random.default_rng([seed, 1]).permutation(len(pool))[:answered])
    found = rows[np.argsort(-shown[rows], kind="stable")[:rare]]
    position, other = (0, 1) if first else (1, 0)
    truth = np.where(np.isin(rows, found), position, other)
    labels = Labels(
        tuple(pool.asset_ids[rows].tolist()), tuple(pool.title_ids[rows].tolist()), np.eye(2)[truth], np.ones(answered)
    )
    prompts = Prompts(positive=direction[None] if first else -direction[None]) if phrases else None
    probe = fit(pool, labels, CLASSES, prompts, LearnerSettings(), seed)
    return int((probe.predict_proba(pool.rows(rows))[:, position] > 0.5).sum())


@lru_cache(maxsize=12)
def world(size: int, seed: int) -> tuple[Pool, npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """A pool of ``size`` unit vectors, how much each shows of the rare class (size,), and its direction (d,)."""
    rng = np.random.default_rng([seed, size])
    titles = np.arange(size) // PER_TITLE
    direction = unit_length(rng.standard_normal((1, DIM)))[0]
    shared = unit_length(rng.standard_normal((1, DIM)))  # encoders' vectors share a good part
    apart = 0.7 * rng.standard_normal((titles[-1] + 1, DIM))[titles] + rng.standard_normal((size, DIM))
    vectors = unit_length(np.sqrt(DIM) * shared + apart)
    ids = np.array([f"a{i:05d}" for i in range(size)])
    names = np.array([f"t{i:05d}" for i in titles])
    return Pool(ids, names, (vectors.astype(np.float16),)), vectors @ direction, direction


def _print(rows: Sequence[dict[str, Any]], seeds: int) -> None:
    keys = ("answered", "pool", "rare_answers", "most", "rare_class")
    table = Table(*(key.replace("_", " ") for key in keys), "labelled so", "with a phrase", title=f"{seeds} seeds")
    groups: dict[tuple[Any, ...], dict[bool, list[int]]] = {}
    for row in rows:
        held = groups.setdefault(tuple(row[key] for key in keys), {False: [], True: []})
        held[row["phrases"]].append(row["labelled_rare"])
    for group, held in groups.items():
        table.add_row(*map(str, group), *(", ".join(map(str, held[phrases])) for phrases in (False, True)))
    Console().print(table)
    Console().print(f"{sum(row['within'] for row in rows)} of {len(rows)} within the bound")


if __name__ == "__main__":
    main()
