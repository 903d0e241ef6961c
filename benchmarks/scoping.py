"""What are ten scoping decisions worth in answers to single images?

    python -m benchmarks.scoping --data ../shared/bench/posters.npz --json benchmarks/results/scoping.json

Every way begins with the same 20 answers (3 positives, 17 at random) and the same titles kept for audits. A decision
is about one group of similar images that the probe's line cuts through: the simulated expert, whose definition is the
file's label, says that all count, that none does, or ticks those that count and says that only they do. Each image of
the group then has an answer. Counted is what the expert does: decisions, images looked at, ticks.

`scoping` takes all groups from the probe of the 20 answers, as the product does; `scoping_anew` chooses each group by
the probe of the decisions so far; `pages` are as many pages of as many images, from the product's own plan of
questions; `single` are the plan's questions one by one, ten between two fits, none of them an audit.

Settings are chosen with ``--half tune``: every second attribute, seeds from 0. Figures are of ``--half report``: the
other attributes, seeds from 100. Intervals: attributes are drawn again, then their seeds; the ways are paired.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.evaluation.intervals import percentile_interval
from attune.models.files.atomic import write_json
from attune.models.probes.learner import LearnerSettings, fit, plan
from attune.models.probes.probe import Probe
from attune.models.scope.cut_groups import cut_groups, from_line, near_line
from attune.models.scope.group_settings import GroupSettings
from benchmarks.label_efficiency.classifiers import CLASSES, labels_of, pool_of
from benchmarks.label_efficiency.state import State
from benchmarks.label_efficiency.tasks import attributes, load
from benchmarks.machine import machine
from benchmarks.printed import print_rows

DECISIONS = 10
ANSWERS = (0, 10, 20, 30, 50, 70, 100, 150)  # to single images
DRAWS = 2000
LEARNER = LearnerSettings(audit_share=0.0)


@dataclass(frozen=True)
class Cell:
    """One campaign: the file, its attribute, and the seed of the first answers and of the titles kept apart."""

    data: str
    attribute: str
    seed: int


@dataclass
class Campaign:
    """The answers so far, the probe of them, and what the expert did for them."""

    state: State
    reserved: npt.NDArray[np.bool_]
    ticks: int = 0
    means: list[npt.NDArray[np.float32]] = field(default_factory=list)

    @classmethod
    def begin(cls, cell: Cell) -> Campaign:
        task = load(Path(cell.data), cell.attribute)
        state, pool = State(task, task.start(cell.seed).tolist(), cell.seed), pool_of(task)
        reserved = pool_reserved_mask(pool, np.arange(len(pool)), LEARNER.reserved_share, cell.seed).copy()
        reserved[np.isin(pool.title_ids, pool.title_ids[state.asked])] = False
        return cls(state, reserved)

    def fit(self) -> Probe:
        pool = pool_of(self.state.task)
        return fit(pool, labels_of(self.state), CLASSES, None, LEARNER, self.state.seed, reserved=self.reserved)

    def ask(self, probe: Probe, images: int) -> None:
        """The next questions of the product's plan."""
        pool, asked = pool_of(self.state.task), np.asarray(self.state.asked)
        asks = plan(pool, probe, labels_of(self.state), asked, images, LEARNER, self.state.seed, reserved=self.reserved)
        self.take(np.array([ask.index for ask in asks], dtype=np.intp))

    def groups(self, probe: Probe, count: int, settings: GroupSettings) -> list[npt.NDArray[np.intp]]:
        """Pool rows of at most ``count`` groups that the line of ``probe`` cuts through."""
        pool = pool_of(self.state.task)
        allowed = ~self.reserved
        allowed[self.state.asked] = False
        margins = from_line(pool.logits(probe.weight_, probe.bias_)[:, 0], allowed, settings.side)
        band = near_line(margins, allowed, settings.band)
        found = cut_groups(pool.rows(band), margins[band], pool.title_ids[band], self.means, count, settings)
        return [band[one.rows] for one in found]

    def decide(self, rows: npt.NDArray[np.intp]) -> None:
        """The expert ticks what counts, unless all images do or none."""
        self.means.append(pool_of(self.state.task).rows(rows).mean(axis=0))
        self.take(rows)

    def take(self, rows: npt.NDArray[np.intp]) -> None:
        """Answers to a group or a page."""
        count = int(self.state.task.y[rows].sum())
        self.ticks += count if 0 < count < len(rows) else 0
        self.state.asked.extend(rows.tolist())

    def row(self, method: str, cell: Cell, decisions: int, start: int) -> dict[str, Any]:
        task = self.state.task
        precision = average_precision_score(task.y_test, self.fit().predict_proba(task.test)[:, 0])
        return {
            "method": method,
            **asdict(cell),
            "data": Path(cell.data).stem,
            "decisions": decisions,
            "answers": len(self.state.asked) - start,
            "ticks": self.ticks,
            "average_precision": round(float(precision), 5),
        }


def rows_of(cell: Cell, settings: GroupSettings) -> list[dict[str, Any]]:
    """All ways of one campaign."""
    return [*_single(cell), _pages(cell, settings), _scoping(cell, settings, False), _scoping(cell, settings, True)]


def _single(cell: Cell) -> Iterator[dict[str, Any]]:
    campaign = Campaign.begin(cell)
    start = len(campaign.state.asked)
    for answers in ANSWERS:
        while len(campaign.state.asked) - start < answers:
            campaign.ask(campaign.fit(), 10)
        yield campaign.row("single", cell, 0, start) | {"ticks": answers}


def _pages(cell: Cell, settings: GroupSettings) -> dict[str, Any]:
    campaign = Campaign.begin(cell)
    start = len(campaign.state.asked)
    for _ in range(DECISIONS):
        campaign.ask(campaign.fit(), settings.size)
    return campaign.row("pages", cell, DECISIONS, start)


def _scoping(cell: Cell, settings: GroupSettings, anew: bool) -> dict[str, Any]:
    campaign = Campaign.begin(cell)
    start, decided = len(campaign.state.asked), 0
    waiting = [] if anew else campaign.groups(campaign.fit(), DECISIONS, settings)
    while decided < DECISIONS:
        if anew:
            waiting = campaign.groups(campaign.fit(), 1, settings)
        if not waiting:
            break
        campaign.decide(waiting.pop(0))
        decided += 1
    return campaign.row("scoping_anew" if anew else "scoping", cell, decided, start)


def compared(rows: Sequence[dict[str, Any]], method: str = "scoping") -> list[dict[str, Any]]:
    """``method`` less each other way (``single`` by its answers), in AP, with a paired interval."""
    held: dict[str, dict[tuple[str, str, int], float]] = {}
    for row in rows:
        name = f"single {row['answers']}" if row["method"] == "single" else row["method"]
        held.setdefault(name, {})[row["data"], row["attribute"], row["seed"]] = row["average_precision"]
    mine = held[method]
    return [
        {"way": name, "average_precision": float(np.mean(list(theirs.values())))}
        | _difference({key: mine[key] - value for key, value in theirs.items()})
        for name, theirs in held.items()
    ]


def _difference(differences: dict[tuple[str, str, int], float]) -> dict[str, Any]:
    """The mean over cells, and the share of cells that are above 0; attributes are drawn again, then their seeds."""
    questions = sorted({key[:2] for key in differences})
    table = np.array([[value for key, value in sorted(differences.items()) if key[:2] == one] for one in questions])
    rng, (many, seeds) = np.random.default_rng(13), table.shape
    which = rng.integers(many, size=(DRAWS, many, 1))
    draws = table[which, rng.integers(seeds, size=(DRAWS, many, seeds))].mean(axis=(1, 2))
    value = float(table.mean())
    lo, hi = percentile_interval(draws, value)
    return {"ahead": value, "lo": lo, "hi": hi, "wins": float((table > 0).mean()), "n": table.size}


def worth(rows: Sequence[dict[str, Any]], method: str = "scoping") -> float:
    """How many answers to single images reach the mean AP of ``method``, between two counts in proportion; the
    highest count measured where none does."""
    means = [
        float(np.mean([r["average_precision"] for r in rows if r["method"] == "single" and r["answers"] == n]))
        for n in ANSWERS
    ]
    mine = float(np.mean([row["average_precision"] for row in rows if row["method"] == method]))
    return float(np.interp(mine, np.maximum.accumulate(means), ANSWERS))


def cells(data: Sequence[str], half: str, seeds: int) -> list[Cell]:
    """The campaigns of one half of the attributes, and of its seeds."""
    first, begin = (0, 0) if half == "tune" else (1, 100)
    return [
        Cell(path, name, begin + n) for n in range(seeds) for path in data for name in attributes(Path(path))[first::2]
    ]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print two tables, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", required=True, help="An .npz of the benchmarks; repeat for more.")
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, required=True)
    asked = parser.parse_args(arguments)
    todo, chosen = cells(asked.data, asked.half, asked.seeds), GroupSettings()
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        rows = [row for found in pool.map(rows_of, todo, [chosen] * len(todo)) for row in found]
    done = {
        method: {
            key: float(np.mean([r[key] for r in rows if r["method"] == method]))
            for key in ("decisions", "answers", "ticks")
        }
        for method in ("scoping", "scoping_anew", "pages")
    }
    result = {
        "rows": rows, "half": asked.half, "settings": asdict(chosen), "did": done, "scoping_less": compared(rows),
        "worth": {method: worth(rows, method) for method in done}, "machine": machine(),
    }  # fmt: skip
    print_rows([{"way": name, **did, "worth": result["worth"][name]} for name, did in done.items()])
    print_rows(result["scoping_less"])
    write_json(asked.json, result)
    return result


if __name__ == "__main__":
    main()
