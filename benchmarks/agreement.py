"""What several experts are worth: soft labels, consensus, reliability, second opinions and panel parity.

    python -m benchmarks.agreement --data ../shared/bench --seeds 10 --json OUT

``votes``: the ten votes of ferplus.npz. With the same number of answers, a probe learns from one random answer on each
of A images, or from three on each of A / 3: their majority, their shares as soft labels, or ``consensus`` (soft labels
and weights). ``alpha``: over pseudo-raters, a random seating of the ten votes, as the raters are not identified.
``experts``: simulated people of known confusion over real vectors and the true labels.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.campaigns import load
from benchmarks.machine import machine
from models.agreement import alpha, panel_parity
from models.answers import Answer
from models.files import write_json
from models.labels import Labels, consensus
from models.metrics import average_precision
from models.panel import NO_VOTE, Panel
from models.probe import Probe
from models.reliability import likely_truth, reliabilities, trust
from models.second_opinion import second_opinions
from models.splits import title_folds

Ints = npt.NDArray[np.intp]
BUDGETS = (120, 240, 480, 960)
CLASSES = ("yes", "no")
# The votes' columns: neutral is what the attribute calls serious.
COLUMNS = {"serious": "neutral", "happy": "happiness", "sad": "sadness", "angry": "anger"}
# How often each simulated expert says yes to a positive, and no to a negative.
EXPERTS = {"ana": (0.95, 0.98), "ben": (0.90, 0.95), "cleo": (0.85, 0.90), "dov": (0.70, 0.97), "eve": (0.65, 0.70)}
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print tables, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the .npz files")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    begun = time.perf_counter()
    votes = [row for seed in range(asked.seeds) for row in vote_rows(asked.data, seed)]
    experts = [row for seed in range(asked.seeds) for row in expert_rows(asked.data, seed)]
    result = {
        "votes": {"summary": vote_summary(votes), "rows": votes},
        "alpha": alpha_rows(asked.data),
        "experts": {"summary": expert_summary(experts), "rows": experts},
        "seeds": asked.seeds,
        "machine": machine(),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    for told in (result["votes"]["summary"], result["alpha"], result["experts"]["summary"]):
        _show(told)
    if asked.json:
        write_json(asked.json, result)
    return result


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
        return _hard(order[:budget], said[order[:budget], 0])

    def majority(budget: int) -> tuple[Labels, Ints]:
        rows = order[: budget // 3]
        return _hard(rows, said[rows, :3].sum(axis=1) >= 2)

    def shares(budget: int) -> tuple[Labels, Ints]:
        rows = order[: budget // 3]
        share = said[rows, :3].mean(axis=1)
        return _labels(rows, np.stack([share, 1 - share], axis=1), np.ones(len(rows))), rows

    def weighted(budget: int) -> tuple[Labels, Ints]:
        rows = order[: budget // 3]
        answers = [_answer(f"{row:06d}", f"e{e}", bool(said[row, e])) for row in rows for e in range(3)]
        labels = consensus(answers, CLASSES)
        return labels, np.array([int(asset) for asset in labels.asset_ids])

    def asked_again(budget: int) -> tuple[Labels, Ints]:
        return _asked_again(x, np.sort(order[: budget - budget // 6]), said, budget // 6)

    def one_each(budget: int) -> tuple[Labels, Ints]:
        return _hard(order[: budget // 3], said[order[: budget // 3], 0])

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
    first = _hard(rows, said[rows, 0])[0]
    proba = np.full(first.shares.shape, 0.5)
    for train, test in title_folds(ids, first.majority(), 5, 0):
        probe = Probe(CLASSES).fit(x[rows[train]], first.shares[train])
        proba[test] = probe.predict_proba(x[rows[test]])
    votes = np.full((len(rows), 2), NO_VOTE)
    votes[:, 0] = ~said[rows, 0]
    found = second_opinions(Panel(ids, ids, ("e0", "e1"), CLASSES, votes), proba, ("e0", "e1"), more)
    again = {one.asset_id for one in found}
    answers = [_answer(asset, "e0", bool(said[row, 0])) for asset, row in zip(ids, rows, strict=True)]
    answers += [_answer(a, "e1", bool(said[row, 1])) for a, row in zip(ids, rows, strict=True) if a in again]
    return consensus(answers, CLASSES), rows


def _hard(rows: Ints, yes: npt.NDArray[np.bool_]) -> tuple[Labels, Ints]:
    share = yes.astype(np.float64)
    return _labels(rows, np.stack([share, 1 - share], axis=1), np.ones(len(rows))), rows


def _labels(rows: Ints, shares: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> Labels:
    ids = tuple(f"{row:06d}" for row in rows)
    return Labels(ids, ids, shares, weights)


def _answer(asset: str, expert: str, yes: bool) -> Answer:
    return Answer(asset, asset, expert, CLASSES[0] if yes else CLASSES[1], "spread", NOON)


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


def expert_rows(
    folder: Path, seed: int, images: int = 240, votes_each: int = 2, more: int = 60
) -> Iterator[dict[str, Any]]:
    """One panel of five simulated experts on ``images`` faces: what is found beside what is known."""
    held = load(folder / "faces.npz")
    rng = np.random.default_rng([seed, 3])
    truth_all = 1 - held["labels"][:, held["label_names"].tolist().index("serious")].astype(np.intp)
    rows = rng.permutation(np.flatnonzero(held["split"] == 0))
    shown, taught = rows[:images], rows[images : images + 400]
    panel, everything = _simulated(held, shown, truth_all[shown], votes_each, rng)
    truth = truth_all[[int(asset) for asset in panel.asset_ids]]
    shares = np.eye(2)[truth_all[taught]]
    probe = Probe(CLASSES).fit(held["vectors"][taught], shares, np.ones(len(taught)))
    proba = np.asarray(probe.predict_proba(held["vectors"][[int(asset) for asset in panel.asset_ids]]))
    base = {"seed": seed}
    yield base | _reliability_row(panel, truth)
    yield base | _parity_row(panel, proba, truth)
    for way in ("second opinions", "random"):
        yield base | _again_row(panel, proba, truth, everything, way, more, rng)


def _simulated(
    held: dict[str, Any], rows: Ints, truth: Ints, votes_each: int, rng: np.random.Generator
) -> tuple[Panel, Ints]:
    order = np.argsort(rows)
    rows, truth = rows[order], truth[order]
    right = np.stack([np.where(truth == 0, yes, no) for yes, no in EXPERTS.values()], axis=1)
    everything = np.where(rng.random(right.shape) < right, truth[:, None], 1 - truth[:, None])
    asked = rng.permuted(np.tile(np.arange(len(EXPERTS)), (len(rows), 1)), axis=1)[:, :votes_each]
    votes = np.full(everything.shape, NO_VOTE)
    np.put_along_axis(votes, asked, np.take_along_axis(everything, asked, axis=1), axis=1)
    ids = tuple(f"{row:06d}" for row in rows)
    return Panel(ids, tuple(held["title_ids"][rows]), tuple(EXPERTS), CLASSES, votes), everything


def _reliability_row(panel: Panel, truth: Ints) -> dict[str, Any]:
    found = reliabilities(panel)
    share = np.bincount(truth, minlength=2) / len(truth)
    known = np.array([yes * share[0] + no * share[1] for yes, no in EXPERTS.values()])
    told = np.array([reliability.accuracy.value for reliability in found], dtype=np.float64)
    covered = [
        r.accuracy.lo <= k <= r.accuracy.hi
        for r, k in zip(found, known, strict=True)
        if r.accuracy.lo is not None and r.accuracy.hi is not None
    ]
    voted = panel.counts()
    tied = voted[:, 0] == voted[:, 1]
    weights = trust(found)
    answers = [
        _answer(asset, panel.experts[seat], vote == 0)
        for asset, votes in zip(panel.asset_ids, panel.votes, strict=True)
        for seat, vote in enumerate(votes)
        if vote != NO_VOTE
    ]
    weighted = consensus(answers, CLASSES, weights).majority()
    plain = np.where(tied, 0.5, (voted.argmax(axis=1) == truth)).mean()
    return {
        "what": "reliability",
        "mean_error": float(np.abs(told - known).mean()),
        "rank_correlation": float(np.corrcoef(np.argsort(np.argsort(told)), np.argsort(np.argsort(known)))[0, 1]),
        "covered": float(np.mean(covered)),
        "majority_right": float(plain),
        "dawid_skene_right": float((likely_truth(panel).argmax(axis=1) == truth).mean()),
        "weighted_consensus_right": float((weighted == truth).mean()),
    }


def _parity_row(panel: Panel, proba: npt.NDArray[np.float64], truth: Ints) -> dict[str, Any]:
    parity = panel_parity(panel, proba)
    right = float((proba.argmax(axis=1) == truth).mean())
    human = float((panel.votes == truth[:, None])[panel.votes != NO_VOTE].mean())
    return {
        "what": "parity",
        "expert": parity.expert.value,
        "probe": parity.probe.value,
        "difference": parity.difference.value,
        "expert_right": human,
        "probe_right": right,
    }


def _again_row(
    panel: Panel,
    proba: npt.NDArray[np.float64],
    truth: Ints,
    everything: Ints,
    way: str,
    more: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Ask ``more`` further answers, and see how often the agreed label is right before and after."""
    votes = panel.votes.copy()
    row_of = {asset: i for i, asset in enumerate(panel.asset_ids)}
    if way == "random":
        free = np.argwhere(votes == NO_VOTE)
        asked = free[rng.permutation(len(free))[:more]]
    else:
        found = second_opinions(panel, proba, panel.experts, more)
        asked = np.array([(row_of[one.asset_id], panel.experts.index(one.expert)) for one in found])
    votes[asked[:, 0], asked[:, 1]] = everything[asked[:, 0], asked[:, 1]]
    after = Panel(panel.asset_ids, panel.title_ids, panel.experts, panel.classes, votes)
    right = [float((likely_truth(p).argmax(axis=1) == truth).mean()) for p in (panel, after)]
    return {"what": "asked again: " + way, "right_before": right[0], "right_after": right[1], "answers": more}


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


def expert_summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The mean of every figure over the seeds."""
    summary = []
    for what in dict.fromkeys(row["what"] for row in rows):
        mine = [row for row in rows if row["what"] == what]
        keys = [key for key in mine[0] if key not in ("what", "seed")]
        summary += [{"what": what, "figure": key, "mean": float(np.mean([row[key] for row in mine]))} for key in keys]
    return summary


def _show(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
