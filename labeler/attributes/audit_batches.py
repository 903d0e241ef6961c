"""Audit batches on demand: fresh questions that only measure, asked for at the console, by command or by drift.

A request raises a total in the attribute's settings, and the next learning round draws what is missing to it. So a
request survives a kill at any instant, and none is drawn twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import change
from attune.labeler.attributes import attributes
from attune.labeler.queues import asking
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Attribute, Expert, Queue, Run
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError, PoolExhausted, UnknownExpert
from attune.models.text import plural

KEY = "audits"  # in `attribute.settings`
MOST = 1000


@dataclass(frozen=True)
class AuditRequest:
    """What was asked for so far: ``extra`` audits beside the stream's in all, and the experts that the newest request
    names (e-mail addresses; none means everyone). ``coming``: audits that are drawn and come with a later round.
    ``size``: audits that a request brought, fewer than were asked for where fewer images were left; not kept."""

    extra: int = 0
    experts: Sequence[str] = field(default_factory=tuple)
    coming: int = 0
    size: int = field(default=0, compare=False)

    @classmethod
    def of(cls, attribute: Attribute) -> AuditRequest:
        """As the attribute keeps it."""
        held: Mapping[str, Any] = attribute.settings.get(KEY) or {}
        return cls(int(held.get("extra", 0)), tuple(held.get("experts", ())), int(held.get("coming", 0)))

    def kept(self) -> dict[str, Any]:
        """As the attribute keeps it."""
        return {KEY: {"extra": self.extra, "experts": list(self.experts), "coming": self.coming}}


def request(settings: Settings, name: str, size: int, experts: Sequence[str] = ()) -> AuditRequest:
    """Ask for ``size`` further audit questions about the attribute ``name``, or as many as images are left; a learning
    round has to follow.

    They are drawn by the attribute's design, with known probabilities, from titles that nothing is trained on, and
    come mixed with the next tasks of ``experts`` (e-mail addresses; none means everyone with a queue), who do not see
    that they are audits. Raises UnknownAttribute, UnknownExpert for one without a queue, RecordsError for a stopped
    queue, PoolExhausted where no image is left to draw, DataError for a size out of range or an attribute without
    reserved titles.
    """
    if not 1 <= size <= MOST:
        raise DataError(f"size is {size}. Expected 1 to {MOST} audit answers; 60 give a first useful interval.")
    with writing(settings) as session:
        attribute = attributes.find(session, name)
        session.refresh(attribute, with_for_update=True)
        if not attribute.settings.get("reserved_share"):
            raise DataError(
                f"{name} has no reserved titles (reserved share 0), so it cannot be audited. Create a new "
                "attribute with ATTUNE_AUDIT_SHARE above 0."
            )
        _check_experts(session, attribute, experts)
        before = AuditRequest.of(attribute)
        remaining = left_to_draw(session, attribute)
        if remaining == 0:
            raise PoolExhausted(
                f"{size} audit answers requested, but all reserved images of {name} are drawn. Add images of more "
                "titles: `attune assets add PATH`"
            )
        granted = size if remaining is None else min(size, remaining)
        audit_request = AuditRequest(before.extra + granted, tuple(experts), before.coming, granted)
        attribute.settings = attribute.settings | audit_request.kept()
        change.count(session, attribute.id)
    return audit_request


def requested(size: int, granted: int) -> str:
    """What a request of ``size`` audit answers brought, as a sentence."""
    if granted == size:
        return f"{plural(size, 'audit answer')} requested."
    only = f"only {plural(granted, 'reserved image', 'are')} left"
    return f"{plural(granted, 'audit answer')} requested instead of {size}: {only}. Add images to request more."


def keep_coming(session: Session, attribute_id: int, coming: int) -> None:
    """Remember how many drawn audits no queue has yet, where that changed."""
    attribute = session.get_one(Attribute, attribute_id, with_for_update=True, populate_existing=True)
    before = AuditRequest.of(attribute)
    if before.coming != coming:
        attribute.settings = attribute.settings | replace(before, coming=coming).kept()


def left_to_draw(session: Session, attribute: Attribute) -> int | None:
    """How many reserved images no one has drawn or asked for yet, as the newest run counted; None before any run."""
    newest = select(Run.advice).where(Run.attribute_id == attribute.id).order_by(Run.number.desc()).limit(1)
    audit_plan = RunAdvice.from_dict(session.scalar(newest)).audits
    if audit_plan is None or audit_plan.left is None:
        return None
    return max(0, audit_plan.left - (AuditRequest.of(attribute).extra - audit_plan.extra))


def _check_experts(session: Session, attribute: Attribute, experts: Sequence[str]) -> None:
    rows = (
        select(Expert.email)
        .join(Queue, Queue.expert_id == Expert.id)
        .where(Queue.attribute_id == attribute.id, Queue.closed_at.is_(None))
        .order_by(Expert.email)
    )
    known_emails = list(session.scalars(rows))
    if not known_emails:
        raise UnknownExpert(
            f"No expert has a queue for {attribute.name}. Add one: `attune expert add EMAIL --attribute "
            f"{attribute.name}`"
        )
    asking.check_stopped(session, attribute)
    for email in experts:
        asking.check_stopped(session, attribute, email)
        if email not in known_emails:
            raise UnknownExpert(
                f"{email!r} has no queue for {attribute.name}. Queues exist for {', '.join(known_emails)}. To add one: "
                f"`attune expert add {email} --attribute {attribute.name}`"
            )
