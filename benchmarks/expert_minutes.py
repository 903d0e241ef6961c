"""Average precision by an expert's minutes: single images, pages of images, and both:
``python -m benchmarks.expert_minutes --data FILE.npz … --json OUT``.

Minutes follow the keystroke-level model (Card, Moran and Newell 1980): M, a mental step, 1.35 s; K, a key, .28 s.
An answer to a single image costs M + K and the measured response. On a page each image costs a look; each one that is
ticked, or that the probe puts within .2 of the line, costs M + K on top; the page itself costs K and the response.
One answer in fifty is a slip, on pages as on single images. Reserved titles and audits are left out on both sides: they
cost both the same.

``planner`` is what the product does: by turns, whichever teaches more a second, a tick always meaning the first class.
``both`` may also ask to tick the other class, which would tell an expert what the probe expects.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one campaign a process

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from attune.models.labels.labels import Labels
from attune.models.probes import page_plan
from attune.models.probes.learner import LearnerSettings, fit, plan, situation
from attune.models.probes.probe import Probe
from attune.models.query.candidates import likely, spread
from attune.models.query.page_value import KEY, MORE, RESPONSE, STEP, UNDECIDED, Seconds
from attune.models.query.planner import pick_from_sources
from benchmarks.label_efficiency.classifiers import CLASSES, pool_of
from benchmarks.label_efficiency.tasks import Task, attributes, load
from benchmarks.machine import machine

M, K = STEP, KEY  # seconds
SLIPS = 0.02
FIRST, ENOUGH = (
    20,
    10,
)  # the rule of before ("few"): after so many answers, while the first class has fewer than so many
SETTINGS = LearnerSettings(audit_share=0.0, reserved_share=0.0)
METHODS = ("singles", "pages", "informed pages", "valued pages", "few", "both", "planner")
AT = (2.75, 5.0, 5.5, 10.0, 20.0)  # minutes; 5.5 is what 200 single answers take, 2.75 half of it


@dataclass(frozen=True)
class Campaign:
    """What identifies a campaign; ``look`` in seconds, ``size`` the images of a page."""

    method: str
    data: str
    attribute: str
    seed: int
    look: float = 0.6
    size: int = 24
    minutes: float = 20.0
    single_round: int = 20


class Expert:
    """Somebody at work: what was asked and answered so far, and the seconds that it took."""

    def __init__(self, campaign: Campaign, task: Task) -> None:
        self.campaign, self.task, self.pool = campaign, task, pool_of(task)
        self.rng = np.random.default_rng([campaign.seed, 5])
        self.asked = task.start(campaign.seed).tolist()
        self.said = {row: int(task.y[row]) for row in self.asked}  # the same 20 for every method, without slips
        self.seconds = len(self.asked) * (M + K + RESPONSE)
        self.pages = 0

    def labels(self) -> Labels:
        """What a learner trains on."""
        y = np.array([self.said[row] for row in self.asked])
        return Labels(
            asset_ids=tuple(self.pool.asset_ids[self.asked].tolist()),
            title_ids=tuple(self.pool.title_ids[self.asked].tolist()),
            shares=np.column_stack([y, 1 - y]).astype(np.float64),
            weights=np.ones(len(y)),
        )

    def answer(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """What is said of ``rows`` (n,): the truth, but for slips."""
        said = self.task.y[rows].astype(bool) ^ (self.rng.random(len(rows)) < SLIPS)
        self.asked += rows.tolist()
        self.said |= dict(zip(rows.tolist(), said.astype(int).tolist(), strict=True))
        return said

    def single(self, probe: Probe, labels: Labels) -> None:
        """Answer the next single images."""
        n = self.campaign.single_round
        asks = plan(self.pool, probe, labels, np.array(self.asked), n, SETTINGS, self.campaign.seed)
        rows = np.array([ask.index for ask in asks], dtype=np.intp)
        self.answer(rows)
        self.seconds += len(rows) * (M + K + RESPONSE)

    def page(self, rows: npt.NDArray[np.intp], p: npt.NDArray[np.float64], ticks: int = 1) -> None:
        """Answer a page of ``rows`` (n,), whose probabilities are ``p`` (n,); ticked are those of class ``ticks``."""
        doubtful = np.abs(p - 0.5) < UNDECIDED
        slow = int(((self.answer(rows) == bool(ticks)) | doubtful).sum())
        self.seconds += len(rows) * self.campaign.look + slow * (M + K) + K + RESPONSE
        self.pages += 1

    def half_likely(self, probe: Probe, labels: Labels) -> None:
        """The product's page of before: half likely, half spread over the pool."""
        n = self.campaign.size
        facts = situation(self.pool, probe, labels, np.array(self.asked), SETTINGS, self.campaign.seed)
        halves = [(0.5, likely(facts, n, 0)), (0.5, spread(facts, n))]
        rows = np.array([ask.index for ask in pick_from_sources(facts, n, halves, apart=n)], dtype=np.intp)
        self.page(rows, _probability(probe, self.pool.rows(rows)))

    def informed(self, probe: Probe, labels: Labels) -> None:
        """A page of the images that would be asked next one by one."""
        asks = plan(self.pool, probe, labels, np.array(self.asked), self.campaign.size, SETTINGS, self.campaign.seed)
        rows = np.array([ask.index for ask in asks], dtype=np.intp)
        self.page(rows, _probability(probe, self.pool.rows(rows)))

    def valued(self, probe: Probe, labels: Labels, positions: Sequence[int], or_single: bool) -> None:
        """A page of the images whose answers teach most a second, or single images where these teach more a second.

        ``positions``: the classes that a tick may mean, 0 the first. The choice is the product's own code.
        """
        campaign, seconds = self.campaign, Seconds(look=self.campaign.look)
        many = (MORE * campaign.size, SETTINGS, campaign.seed)
        found = page_plan.candidates(self.pool, probe, labels, np.array(self.asked), *many)
        choice = page_plan.choose(found, positions, campaign.size, seconds)
        if or_single and not choice.is_page:
            rows = found.rows[: campaign.single_round]
            self.answer(rows)
            self.seconds += len(rows) * seconds.single
        else:
            best = choice.page.places
            self.page(found.rows[best], found.p[best, 0], 1 - choice.position)


def run(campaign: Campaign) -> list[dict[str, Any]]:
    """The campaign's rows, one after each round: answers, seconds, average precision on the test split."""
    expert = Expert(campaign, load(Path(campaign.data), campaign.attribute))
    rows = []
    while True:
        labels = expert.labels()
        probe = fit(expert.pool, labels, CLASSES, None, SETTINGS, campaign.seed)
        score = average_precision_score(expert.task.y_test, _probability(probe, expert.task.test))
        rows.append(
            {
                "answers": len(expert.asked),
                "pages": expert.pages,
                "seconds": round(expert.seconds, 2),
                "ap": round(float(score), 5),
            }
        )
        if expert.seconds >= 60 * campaign.minutes:
            return [asdict(campaign) | {"data": Path(campaign.data).stem} | row for row in rows]
        if campaign.method == "singles" or (campaign.method == "few" and not rare_class_is_short(expert)):
            expert.single(probe, labels)
        elif campaign.method in {"valued pages", "both", "planner"}:
            sides = (0,) if campaign.method == "planner" else (0, 1)
            expert.valued(probe, labels, sides, campaign.method != "valued pages")
        elif campaign.method == "informed pages":
            expert.informed(probe, labels)
        else:
            expert.half_likely(probe, labels)


def rare_class_is_short(expert: Expert) -> bool:
    """The product's rule of before: after a few answers, while the first class has hardly any."""
    return len(expert.asked) >= FIRST and sum(expert.said.values()) < ENOUGH


def _probability(probe: Probe, x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.asarray(probe.predict_proba(x)[:, 0], dtype=np.float64)


def at(rows: list[dict[str, Any]], minutes: float) -> float:
    """The average precision of what was answered within ``minutes``: the newest round that had ended by then."""
    return float([row["ap"] for row in rows if row["seconds"] <= 60 * minutes][-1])


def campaigns(options: argparse.Namespace) -> Iterator[Campaign]:
    """Every campaign that is asked for."""
    questions = [(path, name) for path in options.data for name in attributes(Path(path))]
    chosen = [one for number, one in enumerate(questions) if options.half is None or number % 2 == options.half]
    for (path, name), seed, look, method in product(chosen, range(options.seeds), options.looks, options.methods):
        yield Campaign(method, str(path), name, seed, look, options.size, options.minutes)


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--looks", nargs="+", type=float, default=[0.6])
    parser.add_argument("--size", type=int, default=24, help="images of a page")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--half", type=int, choices=(0, 1), help="every other attribute: 0 to choose by, 1 to report")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(run, campaigns(options)))
    summary = summarise(done)
    print(json.dumps(summary, indent=1))
    if options.json:
        rows = [row for campaign in done for row in campaign]
        options.json.write_text(json.dumps({"summary": summary, "machine": machine(), "rows": rows}) + "\n")


def summarise(done: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """By look and method: the mean average precision at each of ``AT``, and the difference from singles with its 95 %
    interval, from 2,000 draws of attributes (a seed's campaigns stay together with their attribute).
    """
    curves = {(rows[0]["look"], rows[0]["method"], *_key(rows[0])): rows for rows in done}
    summary = []
    for look, method in sorted({key[:2] for key in curves}):
        mine = {key[2:]: rows for key, rows in curves.items() if key[:2] == (look, method)}
        line: dict[str, Any] = {"look": look, "method": method, "campaigns": len(mine)}
        for minutes in (one for one in AT if all(rows[-1]["seconds"] >= 60 * one for rows in mine.values())):
            line[f"{minutes:g} min"] = round(float(np.mean([at(rows, minutes) for rows in mine.values()])), 4)
            base = {key: curves.get((look, "singles", *key)) for key in mine}
            if method != "singles" and all(base.values()):
                gaps = {key: at(mine[key], minutes) - at(base[key] or [], minutes) for key in mine}
                line[f"{minutes:g} min, less singles"] = _interval(gaps)
        line["less singles' 200 in half of their time"] = _half_time(mine, curves, look)
        summary.append(line)
    return summary


def _half_time(mine: dict[Any, list[dict[str, Any]]], curves: dict[Any, Any], look: float) -> Any:
    """Average precision after 2.75 minutes, less that of singles after 5.5 (200 answers)."""
    base = {key: curves.get((look, "singles", *key)) for key in mine}
    if not all(base.values()):
        return None
    return _interval({key: at(mine[key], 2.75) - at(base[key], 5.5) for key in mine})


def _interval(gaps: dict[tuple[str, str, int], float]) -> list[float]:
    by_question: dict[tuple[str, str], list[float]] = {}
    for (data, attribute, _), gap in gaps.items():
        by_question.setdefault((data, attribute), []).append(gap)
    means = np.array([np.mean(values) for values in by_question.values()])
    draws = np.random.default_rng(0).choice(means, (2000, len(means))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return [round(float(value), 4) for value in (means.mean(), low, high)]


def _key(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["data"], row["attribute"], row["seed"]


if __name__ == "__main__":
    main()
