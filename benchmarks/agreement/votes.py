"""The ten votes of ferplus.npz: what to do with a number of answers, and how far the raters agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.metrics import average_precision
from attune.models.evaluation.splits import title_folds
from attune.models.labels.agreement import alpha
from attune.models.labels.labels import Labels, consensus
from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.labels.second_opinion import second_opinions
from attune.models.probes.probe import Probe
from benchmarks.agreement.labelling import CLASSES, COLUMNS, Ints, answer, hard, soft
from benchmarks.campaigns import load

BUDGETS = (120, 240, 480, 960)


def vote_rows(folder: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Test AP (against the majority of ten) by attribute, number of answers and way to use them."""
    held = load(folder / "ferplus.npz")
    with np.load(folder / "ferplus.npz", allow_pickle=False) as file:
        votes, names = file["votes"].astype(np.intp), file["vote_names"].tolist()
    pool, test = np.flatnonzero(held["split"] == 0), np.flatnonzero(held["split"] == 1)
    for attribute, column in COLUMNS.items():
        yes = votes[:, names.index(column)]
        truth = held["labels"][:, held["label_names"].tolist().index(attribute)].astype(np.intp)
        ways = _ways(held["vectors"], pool, yes, np.random.default_rng([seed, len(attribute)]))
        for budget in BUDGETS:
            for way, build in ways.items():
                labels, rows = build(budget)
                probe = Probe(CLASSES).fit(held["vectors"][rows], labels.shares, labels.weights)
                score = np.asarray(probe.decision_function(held["vectors"][test])).reshape(len(test), -1)[:, 0]
                found = average_precision(truth[test], score)
                yield {"attribute": attribute, "seed": seed, "answers": budget, "way": way, "average_precision": found}


Way = Callable[[int], tuple[Labels, Ints]]


def _ways(x: npt.NDArray[np.float32], pool: Ints, yes: Ints, rng: np.random.Generator) -> dict[str, Way]:
    order = rng.permutation(pool)
    # The first answers of an image are drawn without replacement from its votes, once for all ways.
    said = np.stack([rng.permuted(np.arange(10) < count) for count in yes])

    def single(budget: int) -> tuple[Labels, Ints]:
        return hard(order[:budget], said[order[:budget], 0])

    def majority(budget: int) -> tuple[Labels, Ints]:
        rows = order[: budget // 3]
        return hard(rows, said[rows, :3].sum(axis=1) >= 2)

    def shares(budget: int) -> tuple[Labels, Ints]:
        rows = order[: budget // 3]
        share = said[rows, :3].mean(axis=1)
        return soft(rows, np.stack([share, 1 - share], axis=1), np.ones(len(rows))), rows

    def weighted(budget: int) -> tuple[Labels, Ints]:
        rows = order[: budget // 3]
        answers = [answer(f"{row:06d}", f"e{e}", bool(said[row, e])) for row in rows for e in range(3)]
        labels = consensus(answers, CLASSES)
        return labels, np.array([int(asset) for asset in labels.asset_ids])

    def asked_again(budget: int) -> tuple[Labels, Ints]:
        return _asked_again(x, np.sort(order[: budget - budget // 6]), said, budget // 6)

    def one_each(budget: int) -> tuple[Labels, Ints]:
        return hard(order[: budget // 3], said[order[: budget // 3], 0])

    return {
        "one answer each": single,
        "majority of 3": majority,
        "shares of 3": shares,
        "consensus of 3": weighted,
        "one answer each, a sixth as second opinions": asked_again,
        "one answer each, a third of the answers": one_each,
    }


def _asked_again(x: npt.NDArray[np.float32], rows: Ints, said: npt.NDArray[np.bool_], more: int) -> tuple[Labels, Ints]:
    """One answer on each of ``rows``, then second opinions where ActiveLab, with a cross-validated probe, asks."""
    ids = tuple(f"{row:06d}" for row in rows)
    first = hard(rows, said[rows, 0])[0]
    proba = np.full(first.shares.shape, 0.5)
    for train, test in title_folds(ids, first.majority(), 5, 0):
        probe = Probe(CLASSES).fit(x[rows[train]], first.shares[train])
        proba[test] = probe.predict_proba(x[rows[test]])
    votes = np.full((len(rows), 2), NO_VOTE)
    votes[:, 0] = ~said[rows, 0]
    found = second_opinions(Panel(ids, ids, ("e0", "e1"), CLASSES, votes), proba, ("e0", "e1"), more)
    again = {one.asset_id for one in found}
    answers = [answer(asset, "e0", bool(said[row, 0])) for asset, row in zip(ids, rows, strict=True)]
    answers += [answer(a, "e1", bool(said[row, 1])) for a, row in zip(ids, rows, strict=True) if a in again]
    return consensus(answers, CLASSES), rows


def vote_summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean AP over attributes and seeds, and its difference to one answer each with a standard error, paired."""
    by = {(row["attribute"], row["seed"], row["answers"], row["way"]): row["average_precision"] for row in rows}
    base = "one answer each"
    summary = []
    for answers in BUDGETS:
        for way in dict.fromkeys(key[3] for key in by):
            mine = {key[:2]: value for key, value in by.items() if key[2:] == (answers, way)}
            gap = np.array([value - by[(*key, answers, base)] for key, value in mine.items()])
            error = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
            value = float(np.mean(list(mine.values())))
            summary.append(
                {"answers": answers, "way": way, "ap": value, "to_one_each": float(gap.mean()), "error": error}
            )
    return summary


def alpha_rows(folder: Path, images: int = 600) -> list[dict[str, Any]]:
    """Alpha of the ten votes as ten pseudo-raters: over all answers, and for each attribute as yes or no."""
    with np.load(folder / "ferplus.npz", allow_pickle=False) as file:
        votes, names = file["votes"].astype(np.intp), tuple(file["vote_names"].tolist())
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(votes))[:images])
    table = np.stack([rng.permutation(np.repeat(np.arange(len(names)), votes[row])) for row in rows])
    ids = tuple(f"{row:06d}" for row in rows)
    seats = tuple(f"pseudo-{i}" for i in range(table.shape[1]))
    panels = {"all answers": Panel(ids, ids, seats, names, table)}
    for attribute, column in COLUMNS.items():
        panels[attribute] = Panel(ids, ids, seats, CLASSES, np.where(table == names.index(column), 0, 1))
    found = ((name, alpha(panel)) for name, panel in panels.items())
    return [{"question": name, "alpha": m.value, "lo": m.lo, "hi": m.hi, "images": m.n} for name, m in found]
