"""How far the audit is, for those who manage: what is answered, what waits, and what a batch on demand would buy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes, audit_batches
from attune.labeler.queues.asking import is_asking
from attune.labeler.records.run_advice import AuditPlan, RunAdvice
from attune.labeler.records.schema import Attribute, Queue, Run, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.evaluation.audit_pace import expected_width
from attune.models.evaluation.metrics import Metric
from attune.models.labels.answers import AUDIT

SIZES = (30, 60, 120)


@dataclass(frozen=True)
class Offer:
    """A batch of ``size`` audit answers, and what it would buy in words; empty where that is not known."""

    size: int
    text: str = ""


@dataclass(frozen=True)
class Measuring:
    """The audit of one attribute: ``answered`` audit answers, questions ``waiting`` in queues or drawn for them,
    ``needed`` by the gate, images ``left`` to draw (None before any run), the stream's ``share`` and ``why``;
    ``undecided`` audited images measure nothing, as the experts' answers there are tied."""

    name: str
    answered: int
    waiting: int
    needed: int
    left: int | None
    share: float
    why: str
    figure: Metric | None
    experts: int
    undecided: int = 0

    @property
    def missing(self) -> int:
        """Audit answers that the gate still waits for, those asked for already left out."""
        return max(0, self.needed - self.answered - self.waiting)

    @property
    def offers(self) -> list[Offer]:
        """Sizes of a batch that the pool can give, or what is left, each with what it buys beyond the one before."""
        half = self._half_now
        offers: list[Offer] = []
        for size in self._sizes:
            width = self.width_after(self.waiting + size)
            after = None if width is None else f"±{width / 2:.2f}"
            offers.append(Offer(size, _buys(half, after, offers[-1].size if offers else 0)))
            half = after
        return offers

    @property
    def _sizes(self) -> list[int]:
        if self.left is None:
            return list(SIZES)
        fitting = [size for size in SIZES if size <= self.left]
        return fitting or ([self.left] if self.left else [])

    @property
    def few_left(self) -> bool:
        """Whether fewer images are left than the smallest batch asks for."""
        return self.left is not None and self.left < SIZES[0]

    @property
    def _half_now(self) -> str | None:
        figure = self.figure
        if figure is None or figure.lo is None or figure.hi is None:
            return None
        return f"±{(figure.hi - figure.lo) / 2:.2f}"

    def width_after(self, more: int) -> float | None:
        """How wide the interval will be, about, after ``more`` further audit answers."""
        return expected_width(self.figure, more)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        values = asdict(self) | {"figure": self.figure.to_dict() if self.figure else None}
        return values | {"expected_width": self.width_after(self.waiting)}


def _buys(before: str | None, after: str | None, smaller: int) -> str:
    """What a batch does to the interval, given as its half width: one that changes nothing is not offered as a gain."""
    if after is None:
        return ""
    if after == before:
        return f"hardly more exact than with {smaller}" if smaller else f"the quality stays known to about {after}"
    return f"quality known to about {after}{f' instead of {before}' if before and not smaller else ''}"


def of(settings: Settings, name: str) -> Measuring:
    """The audit of the attribute ``name``. Raises UnknownAttribute."""
    with reading(settings) as session:
        return read(session, attributes.find(session, name))


def read(session: Session, attribute: Attribute) -> Measuring:
    """The audit of ``attribute`` as the records hold it now."""
    newest = (
        select(Run.metrics, Run.advice).where(Run.attribute_id == attribute.id).order_by(Run.number.desc()).limit(1)
    )
    row = session.execute(newest).first()
    metrics, advice = (row.metrics, row.advice) if row else ({}, {})
    audit_plan = RunAdvice.from_dict(advice).audits or AuditPlan()
    figure, tied = metrics.get("average_precision"), metrics.get("undecided") or {}
    mine = (Queue.attribute_id == attribute.id) & is_asking()
    open_ones = select(func.count(Task.id)).join(Queue).where(mine, Task.state == "open", Task.purpose == AUDIT)
    waiting = (session.scalar(open_ones) or 0) + audit_batches.AuditRequest.of(attribute).coming
    return Measuring(
        name=attribute.name,
        answered=int((figure or {}).get("n", 0)),
        waiting=waiting,
        needed=30 if audit_plan.needed is None else audit_plan.needed,
        left=audit_batches.left_to_draw(session, attribute),
        share=audit_plan.share,
        why=audit_plan.why,
        figure=Metric.from_dict(figure) if figure else None,
        undecided=round((tied.get("value") or 0.0) * tied.get("n", 0)),
        experts=session.scalar(select(func.count(Queue.id)).where(mine)) or 0,
    )
