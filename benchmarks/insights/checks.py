"""Measured features that people checked: real tests, true effects, detectors that err, checks as Attune draws them.

Each campaign gives every arm one of three classes, such as no face, one, several. Popular tests have more. The effects
of both over none are put into real clicks by thinning. A detector measures a class, and people say the true one on arms
of all tests, drawn by ``by_class``: the smallest request, and 180 more by the same design. The question is one:none.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.errors import NotEnoughLabels
from attune.models.evaluation.audit_design import AuditDesign, by_class
from attune.models.insights.corrected import corrected_jointly
from attune.models.insights.outcomes import Outcomes
from attune.models.insights.probed import Probed, probed
from attune.models.insights.within_title import contrast, within_title
from attune.models.measured.eye_checks import chances
from benchmarks.insights.arms import Arms, Floats, attribute
from benchmarks.insights.discoveries import thinned
from benchmarks.insights.probe_errors import performance, summary
from benchmarks.insights.record import Found, Record, repeated

Codes = npt.NDArray[np.intp]

NONE, ONE, SEVERAL = range(3)
ANY, MORE = 0.5, 0.4  # the share of arms with any, and of these with several, before popularity
EFFECTS = np.array([0.0, -0.1, 0.05])  # log rate ratios over none
CHECKED = (60, 240)  # the least that corrects, and with a second request


@dataclass(frozen=True)
class Detector:
    """It rounds the class's number with noise of ``sd``, and ``follows`` a standard deviation of performance."""

    sd: float
    follows: float = 0.0


DETECTORS = {
    "good detector": Detector(0.25), "middling detector": Detector(0.4),
    "follows performance detector": Detector(0.4, 0.1),
}  # fmt: skip


def checks(
    arms: Arms, campaigns: int, seed: int, only: Collection[str] = (), record: Record | None = None
) -> list[dict[str, Any]]:
    """A row for each detector (``only`` these, if any) and method: coverage with its interval, width, bias, spread."""
    rows = []
    for number, (name, detector) in enumerate(DETECTORS.items()):
        if only and name not in only:
            continue
        campaign = partial(_campaign, arms, detector)
        for method, told in repeated(name, campaign, campaigns, (seed, number), record)[0].items():
            rows.append({"setting": name, "method": method} | summary(told, campaigns - len(told)))
        sys.stderr.write(f"{name}: done, right on {right(arms, detector, seed):.1%} of the arms\n")
    return rows


def right(arms: Arms, detector: Detector, seed: int) -> float:
    """The share of arms whose class the detector measures."""
    rng = np.random.default_rng([seed, 0])
    true = classes(arms, rng)
    return float((measured(arms.outcomes, true, detector, rng) == true).mean())


def classes(arms: Arms, rng: np.random.Generator) -> Codes:
    """A class for each arm (n,); popular tests have more."""
    some, more = attribute(arms, ANY, True, rng), attribute(arms, MORE, True, rng)
    return np.asarray(some * (1 + more), dtype=np.intp)


def measured(rows: Outcomes, true: Codes, detector: Detector, rng: np.random.Generator) -> Codes:
    """The class (n,) that the detector says of each arm."""
    raw = true + detector.sd * rng.standard_normal(len(true)) + detector.follows * performance(rows)
    return np.clip(np.rint(raw), NONE, SEVERAL).astype(np.intp)


def _campaign(arms: Arms, detector: Detector, rng: np.random.Generator, seed: int) -> Found:
    """The true classes, the detector's as they are, and both corrections."""
    true = classes(arms, rng)
    rows, truth = thinned(arms.outcomes, EFFECTS[true], rng), float(EFFECTS[ONE])
    said = measured(rows, true, detector, rng)
    result: Found = [("classes known", within_title(rows, contrast(true, str(ONE), str(NONE))), truth)]
    for checked, given in zip(CHECKED, asked(arms, rows, true, said, seed), strict=True):
        with suppress(NotEnoughLabels):  # no figure: counted as failed
            found = corrected_jointly(rows, given, classes=True)[0]
            result.append((f"attune, {checked} checks", found.effect, truth))
            plain = ("uncorrected", found.uncorrected, truth)
    return [*result, plain] if len(result) > 1 else result


def asked(arms: Arms, rows: Outcomes, true: Codes, said: Codes, seed: int) -> list[Sequence[Probed]]:
    """What Attune has after each request: one and several as properties, the answers, and the chances of the draw."""
    titles = arms.names[rows.title]
    ids = np.array([f"arm-{number}" for number in rows.asset])
    design, made = AuditDesign(seed), []
    for more in np.diff(CHECKED, prepend=0):
        design.extend(ids.tolist(), titles.tolist(), None, int(more), by_class(said))
        drawn = np.flatnonzero(design.drawn(ids.tolist()))
        inclusion = design.inclusions(ids[drawn].tolist())
        made.append([_property(rows, true, said, one, drawn, inclusion) for one in (ONE, SEVERAL)])
    return made


def _property(
    rows: Outcomes, true: Codes, said: Codes, one: int, drawn: Codes, inclusion: Floats
) -> Probed:  # fmt: skip
    probability, says = np.empty(len(true)), np.empty(len(true))
    probability[rows.asset] = chances(said, len(EFFECTS))[:, one]
    says[rows.asset] = said == one
    return probed(probability, rows.asset[drawn], true[drawn] == one, inclusion, says)
