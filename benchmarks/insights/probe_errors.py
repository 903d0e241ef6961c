"""Attributes that a probe says: real tests, a true effect, probes that err, audits as Attune draws them.

Each campaign makes an attribute tied to popularity, puts its effect into real clicks by thinning, scores the arms with
a probe of known d', and draws audits of reserved tests by ``AuditDesign``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit, logit

from attune.models.evaluation.audit_design import RESERVED_SHARE, AuditDesign, reserved_mask
from attune.models.evaluation.intervals import share_interval
from attune.models.insights.corrected import corrected, corrected_jointly
from attune.models.insights.expert_errors import unbiased_answers
from attune.models.insights.outcomes import Outcomes
from attune.models.insights.probed import Probed, probed
from attune.models.insights.within_title import within_title
from benchmarks.insights.arms import Arms, Floats, attribute
from benchmarks.insights.discoveries import thinned
from benchmarks.insights.record import Campaign, Found, Record, Told, repeated

EFFECT, PREVALENCE, AUDITS, ROUNDS = -0.1, 0.3, 465, 5
FOLLOWS = 0.15  # of the score, for a standard deviation of performance: the uncorrected sign turns
CLIP = 3.0
SECOND, BOTH = 0.15, 0.4  # the second attribute's effect; the share of arms where it is a copy of the first
RIGHT, WRONG = np.array([0.92, 0.85]), np.array([0.06, 0.1])  # two experts' shares of yes, property there and not


@dataclass(frozen=True)
class Probe:
    """``apart``: d'. ``follows``: how far scores follow performance."""

    apart: float
    follows: float = 0.0


PROBES = {"good": Probe(3.0), "middling": Probe(1.8), "follows performance": Probe(1.8, FOLLOWS)}


def error(
    arms: Arms, campaigns: int, seed: int, only: Collection[str] = (), record: Record | None = None
) -> list[dict[str, Any]]:
    """A row for each setting (``only`` these, if any) and method: coverage with its interval, width, bias, spread."""
    settings: dict[str, Campaign] = {}
    for name, probe in PROBES.items():
        settings[name] = lambda rng, draw, probe=probe: one_attribute(arms, probe, rng, draw)  # type: ignore[misc]
    settings["experts err"] = lambda rng, draw: experts_err(arms, rng, draw)
    settings["champion moved"] = lambda rng, draw: champion_moved(arms, rng, draw)
    settings["two attributes"] = lambda rng, draw: two_attributes(arms, rng, draw)
    rows = []
    for number, (name, campaign) in enumerate(settings.items()):
        if only and name not in only:
            continue
        found, failed = repeated(name, campaign, campaigns, (seed, number), record)
        rows += [{"setting": name, "method": method} | summary(told, failed) for method, told in found.items()]
    return rows


def summary(told: Sequence[Told], failed: int = 0) -> dict[str, Any]:
    """Coverage, width, bias, standard deviation and mean error of effects beside their truths."""
    inside = sum(one.lo <= one.truth <= one.hi for one in told)
    off = np.array([one.estimate - one.truth for one in told])
    lo, hi = share_interval(inside, len(told))
    return {
        "campaigns": len(told), "failed": failed, "coverage": inside / len(told), "lo": lo, "hi": hi,
        "width": float(np.mean([one.hi - one.lo for one in told])), "bias": float(off.mean()),
        "sd": float(off.std()), "se": float(np.mean([one.se for one in told])),
    }  # fmt: skip


def world(arms: Arms, probe: Probe, rng: np.random.Generator) -> tuple[Floats, Outcomes, Floats]:
    """The attribute (n,), clicks with its effect, and the probe's scores (n,)."""
    true = attribute(arms, PREVALENCE, True, rng)
    rows = thinned(arms.outcomes, EFFECT * true, rng)
    return true, rows, scores(rows, true, probe, rng)


def one_attribute(arms: Arms, probe: Probe, rng: np.random.Generator, seed: int) -> Found:
    """The attribute itself, the thresholded probe, audits without a probe, and the correction."""
    true, rows, score = world(arms, probe, rng)
    given = audited(arms, rows, true, score, [score] * ROUNDS, seed)
    found = corrected(rows, given)
    result: Found = [
        ("attribute known", within_title(rows, true), EFFECT), ("thresholded", found.uncorrected, EFFECT),
        ("attune", found.effect, EFFECT),
    ]  # fmt: skip
    if seed % 3 == 0:  # it takes long: scores at random leave everything to the audits
        blind = corrected(rows, replace(given, probability=rng.uniform(0.2, 0.4, len(true))))
        result.append(("audits only", blind.effect, EFFECT))
    return result


def experts_err(arms: Arms, rng: np.random.Generator, seed: int) -> Found:
    """The middling probe, audited by two experts who err with known shares: their answers as given, and unbiased."""
    true, rows, score = world(arms, PROBES["middling"], rng)
    given = audited(arms, rows, true, score, [score] * ROUNDS, seed)
    yes = np.where(given.answer[:, None] == 1, RIGHT, WRONG)
    said = (rng.random(yes.shape) < yes).astype(np.float64)
    unbiased = unbiased_answers(said, RIGHT, WRONG, PREVALENCE)
    return [
        ("attune, answers as given", corrected(rows, replace(given, answer=said.mean(axis=1))).effect, EFFECT),
        ("attune", corrected(rows, replace(given, answer=unbiased)).effect, EFFECT),
    ]


def champion_moved(arms: Arms, rng: np.random.Generator, seed: int) -> Found:
    """Audits drawn by the scores of five ever better probes, with other errors each; then a new champion scores."""
    true = attribute(arms, PREVALENCE, True, rng)
    rows = thinned(arms.outcomes, EFFECT * true, rng)
    past = [scores(rows, true, Probe(apart), rng) for apart in (0.5, 0.8, 1.1, 1.4, 1.6)]
    champion = scores(rows, true, PROBES["middling"], rng)
    found = corrected(rows, audited(arms, rows, true, champion, past, seed))
    return [("thresholded", found.uncorrected, EFFECT), ("attune", found.effect, EFFECT)]


def two_attributes(arms: Arms, rng: np.random.Generator, seed: int) -> Found:
    """Two attributes that go together, with effects of opposite signs, each with a middling probe and own audits."""
    first = attribute(arms, PREVALENCE, True, rng)
    second = np.where(rng.random(len(first)) < BOTH, first, attribute(arms, PREVALENCE, True, rng))
    rows = thinned(arms.outcomes, EFFECT * first + SECOND * second, rng)
    probes = []
    for number, true in enumerate((first, second)):
        score = scores(rows, true, PROBES["middling"], rng)
        probes.append(audited(arms, rows, true, score, [score] * ROUNDS, seed + 500_000 * number))
    result: Found = []
    for name, found, truth in zip(("first", "second"), corrected_jointly(rows, probes), (EFFECT, SECOND), strict=True):
        result += [(f"thresholded, {name}", found.uncorrected, truth), (f"attune, {name}", found.effect, truth)]
    alone = corrected(rows, probes[0]).effect
    return [*result, ("attune, first alone", alone, EFFECT)]


def scores(rows: Outcomes, true: Floats, probe: Probe, rng: np.random.Generator) -> Floats:
    """Logits (n,) of the arms: ``apart`` between the sides, noise of 1, and what follows performance."""
    raw: Floats = probe.apart * (true - 0.5) + probe.follows * performance(rows) + rng.standard_normal(len(true))
    return np.asarray(probe.apart * raw + logit(PREVALENCE), dtype=np.float64)


def performance(rows: Outcomes) -> Floats:
    """How well each arm (n,) was taken beside the others of its test, in standard deviations."""
    wanted = np.bincount(rows.title, rows.takes)[rows.title] * rows.impressions
    wanted = wanted / np.maximum(np.bincount(rows.title, rows.impressions)[rows.title], 1)
    beyond: Floats = np.clip((rows.takes - wanted) / np.sqrt(np.maximum(wanted, 1)), -CLIP, CLIP)
    return beyond


def audited(
    arms: Arms, rows: Outcomes, true: Floats, score: Floats, led: Sequence[Floats], seed: int, audits: int = AUDITS
) -> Probed:
    """What Attune has: the champion's probabilities, and audits of reserved tests drawn over rounds, ``led`` (rounds of
    (n,)) by the scores of each round."""
    titles = arms.names[rows.title]
    ids = np.array([f"arm-{number}" for number in rows.asset])
    mine = np.flatnonzero(reserved_mask(titles, seed))
    design = AuditDesign(seed)
    for scored in led:
        design.extend(ids[mine].tolist(), titles[mine].tolist(), scored[mine], audits // len(led))
    drawn = mine[design.drawn(ids[mine].tolist())]
    inclusion = RESERVED_SHARE * design.inclusions(ids[drawn].tolist())
    probability = np.empty(len(true))
    probability[rows.asset] = expit(score)
    return probed(probability, rows.asset[drawn], true[drawn], inclusion)
