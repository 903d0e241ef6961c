"""The forecast, the diversity of the answers and the regions with the fewest, as the newest run calculated them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.run_advice import BesideProbe, PoolRegion, RunAdvice
from attune.labeler.records.run_advice import Outlook as Kept
from attune.labeler.records.schema import Asset, Attribute, Expert, Run
from attune.labeler.views import expert_reliability, told_runs
from attune.labeler.views.expert_reliability import Differs, Relied
from attune.labeler.views.pictures import Picture, picture
from attune.labeler.views.quality import Quality, read
from attune.labeler.views.state import Advice, advice, told_to
from attune.models.labels.reliability import DAWID_SKENE
from attune.models.query.stopping import Goals

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
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Outlook:
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
    experts: Sequence[Relied] = ()
    differs: Differs | None = None
    measured: bool = False
    weighed: bool = True


def outlook(session: Session, viewer: Viewer, attribute: Attribute) -> Outlook:
    """What the newest run that ``viewer`` is shown says of ``attribute``."""
    number = told_runs.newest(session, [attribute.id], viewer).get(attribute.id)
    newest = select(Run.advice).where(Run.attribute_id == attribute.id, Run.number == number)
    said = told_to(viewer, RunAdvice.from_dict(session.scalar(newest)))
    held = said.outlook or Kept()
    parity = held.parity if viewer.manages else None
    figures = {name: read(parity, name) for name in ("expert", "probe", "difference")} if parity else {}
    told = said.reliance.told if said.reliance else ()
    beside = said.beside_probe or BesideProbe()
    people = {one.email: (one.name or one.email, one.id) for one in session.scalars(select(Expert))}
    return Outlook(
        experts=expert_reliability.experts(people, told, beside.told),
        differs=expert_reliability.differs(people, said) if viewer.manages else None,
        measured=any(one.accuracy.get("method") == DAWID_SKENE for one in told),
        weighed=said.reliance.weighed if said.reliance else True,
        headline=HEADLINES.get(said.state, ""),
        advice=advice(said),
        meters=meters(said.evidence, said.state),
        diversity=held.diversity,
        regions=_regions(session, viewer, held.regions),
        **figures,
    )


def meters(evidence: Mapping[str, Any] | Sequence[str], state: str = "") -> list[Meter]:
    """How far each sign of being done is: steadiness, the interval, the positives found.

    Without the positives in a ``state`` that may stop: the probe ranks those that nobody was asked about, and an almost
    empty bar beside "stop" would read as work that is left.
    """
    if not isinstance(evidence, Mapping):
        return []
    goals, found = Goals(), []
    if (moved := evidence.get("movement")) is not None:
        done = 1.0 if moved <= goals.movement else 1.0 - (moved - goals.movement) / (MOST - goals.movement)
        text = f"changed by {moved:.3f} since the probe had half as many labels (goal: at most {goals.movement:g})"
        found.append(Meter("Stable ranking", max(0.0, done), text))
    width = evidence.get("width")
    done = 0.0 if width is None else 1.0 if width <= goals.width else (1.0 - width) / (1.0 - goals.width)
    text = "no interval yet" if width is None else f"{width:.2f} wide (goal: at most {goals.width:g})"
    found.append(Meter("Narrow interval", max(0.0, done), text))
    if (left := evidence.get("remaining_share")) is not None and state not in STOPPED:
        text = f"about {100 * left:.0f} % of the positive images have no answer yet"
        found.append(Meter("Positives found", min(1.0, max(0.0, 1.0 - left)), text))
    return found


def _regions(session: Session, viewer: Viewer, held: Sequence[PoolRegion]) -> list[Unseen]:
    names = [name for region in held for name in region.examples]
    rows = session.scalars(select(Asset).where(Asset.asset_id.in_(names), may_explore(viewer)))
    known = {one.asset_id: picture(one) for one in rows}
    found = [
        Unseen(
            float(region.share),
            region.labels,
            [known[name] for name in region.examples if name in known],
        )
        for region in held
    ]
    return [region for region in found if region.pictures]
