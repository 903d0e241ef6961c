"""The forecast, the diversity of the answers and the regions with the fewest, as the newest run calculated them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.run_advice import BesideProbe, PoolRegion, RunAdvice
from attune.labeler.records.run_advice import Outlook as Kept
from attune.labeler.records.schema import Attribute, Expert, Run
from attune.labeler.views import expert_reliability
from attune.labeler.views.expert_reliability import Differs, ExpertRow
from attune.labeler.views.pictures import PageImage, by_id
from attune.labeler.views.quality import Quality, read
from attune.labeler.views.state import Advice, advice, visible_advice
from attune.models.labels.reliability import DAWID_SKENE
from attune.models.query.stopping import Goals
from attune.models.text import counted

HEADLINES = {
    "labelling": "Not settled yet",
    "narrow": "Interval narrow enough to publish",
    "settled": "Settled",
    "exhausted": "Almost all positive images found",
    "hopeless": "Needs definition",
    "outlier": "One expert disagrees",
}
STOPPED = ("settled", "narrow")  # where it may stop although positives are left
MOST = 0.2  # movement at which the steadiness bar is empty


@dataclass(frozen=True)
class Meter:
    """One sign of being done: ``done`` in [0, 1] and what it means in words."""

    name: str
    done: float
    text: str


@dataclass(frozen=True)
class Unseen:
    """A region of the pool: its ``share``, the ``labels`` that fall into it, and typical pictures."""

    share: float
    labels: int
    pictures: Sequence[PageImage]


@dataclass(frozen=True)
class Forecast:
    """What the page says beside the figures; parts are None or empty until a run has worked them out.

    For those who manage: ``expert``, ``probe`` and ``difference``, panel parity, and ``experts``, the most reliable
    first. ``measured``: whether each expert's is Dawid and Skene's; else it is agreement with the others' majority.
    ``weighed``: whether answers may count less at all.
    """

    headline: str
    advice: Advice | None
    meters: Sequence[Meter]
    diversity: float | None
    regions: Sequence[Unseen]
    expert: Quality | None = None
    probe: Quality | None = None
    difference: Quality | None = None
    experts: Sequence[ExpertRow] = ()
    differs: Differs | None = None
    measured: bool = False
    weighed: bool = True


def forecast(session: Session, viewer: Viewer, attribute: Attribute) -> Forecast:
    """What the newest run that ``viewer`` is shown says of ``attribute``."""
    number = visible_runs.measured(session, [attribute.id], viewer).get(attribute.id)
    newest = select(Run.advice).where(Run.attribute_id == attribute.id, Run.number == number)
    run_advice = visible_advice(viewer, RunAdvice.from_dict(session.scalar(newest)))
    slow_figures = run_advice.outlook or Kept()
    parity = slow_figures.parity if viewer.manages else None
    figures = {name: read(parity, name) for name in ("expert", "probe", "difference")} if parity else {}
    reliabilities = run_advice.reliance.told if run_advice.reliance else ()
    beside = run_advice.beside_probe or BesideProbe()
    people = {expert.email: (expert.name or expert.email, expert.id) for expert in session.scalars(select(Expert))}
    return Forecast(
        experts=expert_reliability.experts(people, reliabilities, beside.told),
        differs=expert_reliability.differs(people, run_advice) if viewer.manages else None,
        measured=any(expert.accuracy.get("method") == DAWID_SKENE for expert in reliabilities),
        weighed=run_advice.reliance.weighed if run_advice.reliance else True,
        headline=HEADLINES.get(run_advice.state, ""),
        advice=advice(run_advice),
        meters=meters(run_advice.evidence, run_advice.state) if viewer.manages else (),
        diversity=slow_figures.diversity,
        regions=_regions(session, viewer, slow_figures.regions),
        **figures,
    )


def meters(evidence: Mapping[str, Any] | Sequence[str], state: str = "") -> list[Meter]:
    """How far each sign of being done is: steadiness, the interval, the positives found.

    Without the positives in a ``state`` that may stop: the probe ranks those that no one was asked about, and an almost
    empty bar beside "stop" would read as work that is left.
    """
    if not isinstance(evidence, Mapping):
        return []
    goals, rows = Goals(), []
    if (moved := evidence.get("movement")) is not None:
        done = 1.0 if moved <= goals.movement else 1.0 - (moved - goals.movement) / (MOST - goals.movement)
        text = f"changed by {moved:.3f} since the probe had half as many labels (goal: at most {goals.movement:g})"
        labels, least = evidence.get("labels"), goals.least_labels
        if labels is not None and labels < least:  # so few labels hardly move a probe away from its prompts
            done *= labels / least
            text = f"not known yet: {counted(int(labels), 'label')} so far, of the {least} that it takes to tell"
        rows.append(Meter("Stable ranking", max(0.0, done), text))
    width = evidence.get("width")
    done = 0.0 if width is None else 1.0 if width <= goals.width else (1.0 - width) / (1.0 - goals.width)
    text = "no interval yet" if width is None else f"{width:.2f} wide (goal: at most {goals.width:g})"
    rows.append(Meter("Narrow interval", max(0.0, done), text))
    if (remaining_share := evidence.get("remaining_share")) is not None and state not in STOPPED:
        text = f"about {100 * remaining_share:.0f} % of the positive images have no answer yet"
        rows.append(Meter("Positives found", min(1.0, max(0.0, 1.0 - remaining_share)), text))
    return rows


def _regions(session: Session, viewer: Viewer, regions: Sequence[PoolRegion]) -> list[Unseen]:
    names = [name for region in regions for name in region.examples]
    if not names:
        return []
    images = by_id(session, names, may_explore(viewer))
    regions_shown = [
        Unseen(
            float(region.share),
            region.labels,
            [images[name] for name in region.examples if name in images],
        )
        for region in regions
    ]
    return [region for region in regions_shown if region.pictures]
