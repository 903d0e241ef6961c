"""Simulated experts of known confusion over real vectors: are they found out, and is asking again worth it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.labels.agreement import panel_parity
from attune.models.labels.labels import consensus
from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.labels.reliability import answer_weights, likely_truth, reliabilities
from attune.models.labels.second_opinion import second_opinions
from attune.models.probes.probe import Probe
from benchmarks.agreement.labelling import CLASSES, Ints, answer
from benchmarks.campaigns import load

# How often each simulated expert says yes to a positive, and no to a negative.
EXPERTS = {"ana": (0.95, 0.98), "ben": (0.90, 0.95), "cleo": (0.85, 0.90), "dov": (0.70, 0.97), "eve": (0.65, 0.70)}


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
    weights = answer_weights(found)
    answers = [
        answer(asset, panel.experts[seat], vote == 0)
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


def expert_summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The mean of every figure over the seeds."""
    summary = []
    for what in dict.fromkeys(row["what"] for row in rows):
        mine = [row for row in rows if row["what"] == what]
        keys = [key for key in mine[0] if key not in ("what", "seed")]
        summary += [{"what": what, "figure": key, "mean": float(np.mean([row[key] for row in mine]))} for key in keys]
    return summary
