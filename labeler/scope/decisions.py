"""What a person decides about a group of images: answers of their own, where they label, and a line in the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.labelling import availability, own_queue, take_chosen
from attune.labeler.labelling.take_answers import REVISED, STORED
from attune.labeler.labelling.take_chosen import Chosen
from attune.labeler.people.viewer import Viewer
from attune.labeler.queues import asking
from attune.labeler.records.schema import Asset, Attribute, ScopeDecision
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AccessError, DataError
from attune.models.files.cell_ids import normalise
from attune.models.text import without_controls

ALL, NONE, TICKED, SKIP = "all", "none", "ticked", "skip"
SAID = (ALL, NONE, TICKED, SKIP)
MOST = 48  # images of one group
LONGEST_NOTE = 200


@dataclass(frozen=True)
class Decision:
    """One decision as the browser sends it: of the images ``shown`` all, none, or only the ``ticked`` count; or skip.

    ``once`` (a UUID) names it for good; ``note``: in the person's words what the images have in common.
    """

    once: UUID
    said: str
    shown: Sequence[str]
    ticked: Sequence[str] = ()
    note: str = ""

    @property
    def counting(self) -> list[str]:
        """The images that count."""
        return {ALL: list(self.shown), TICKED: list(self.ticked)}.get(self.said, [])

    @property
    def other(self) -> list[str]:
        """The images that do not count: those that the person said so of, ticked images apart."""
        return [] if self.said == SKIP else [one for one in self.shown if one not in set(self.counting)]


@dataclass(frozen=True)
class Taken:
    """What became of a decision: ``state`` as of any answer, and how many images got an answer with it."""

    state: str
    answers: int = 0


def labels(session: Session, settings: Settings, viewer: Viewer, attribute: Attribute) -> bool:
    """Whether the viewer's decisions become answers, too: where they may answer images of their choice.

    Owners may decide without. Raises AccessError for everybody else who has no queue here, or a stopped one.
    """
    try:
        one, _, expert = own_queue.find(session, viewer, attribute.name)
        asking.check_own(session, one, expert)
    except AccessError:
        if viewer.manages:
            return False
        raise
    return availability.is_available(settings)


def take(settings: Settings, viewer: Viewer, name: str, revision: int, given: Decision) -> Taken:
    """Store the viewer's decision about a group of revision ``revision``; to repeat it changes nothing.

    An image that counts gets the first class. One that does not gets the other of two classes; where there are more
    it gets no answer, as nobody said which. Raises UnknownAttribute, AccessError, DataError for what is no decision,
    and as `take_chosen.take`: then nothing was stored that may not be sent again.
    """
    with reading(settings) as session:
        one = attributes.find(session, name)
        answering = labels(session, settings, viewer, one)
    _check(given)
    if one.revision != revision:
        return Taken(REVISED)
    if (before := _known(settings, given.once)) is not None:
        return Taken(STORED, before)
    taken = _answered(settings, viewer, one, given) if answering else Taken(STORED)
    if taken.state == STORED:
        _record(settings, viewer, one, given, taken.answers)
    return taken


def undo(settings: Settings, viewer: Viewer, name: str, decision: int) -> bool:
    """Take back a decision of the viewer's that no revision was made of, and its answers; False where there is none.

    Raises as `take`.
    """
    with reading(settings) as session:
        one = attributes.find(session, name)
        answering = labels(session, settings, viewer, one)
        mine = (ScopeDecision.attribute_id == one.id, ScopeDecision.who == viewer.name, ScopeDecision.id == decision)
        still = (ScopeDecision.undone_at.is_(None), ScopeDecision.written.is_(None))
        row = session.scalars(select(ScopeDecision).where(*mine, *still)).one_or_none()
    if row is None:
        return False
    if answering and row.answers:
        once = UUID(row.once)
        batches = [Chosen(uuid5(once, f"undo {part}"), uuid5(once, part), undo=True) for part in ("counts", "other")]
        done = take_chosen.take(settings, viewer, name, one.revision, batches)
        if any(outcome.state != STORED for outcome in done.values()):
            return False
    with writing(settings) as session:
        session.execute(update(ScopeDecision).where(ScopeDecision.id == decision).values(undone_at=now()))
    return True


def _check(given: Decision) -> None:
    if given.said not in SAID:
        raise DataError(f"said: {given.said[:40]!r} is no decision. Use one of {', '.join(SAID)}.")
    if not 1 <= len(given.shown) <= MOST:
        raise DataError(f"{len(given.shown)} images shown. A group has 1 to {MOST} images.")
    if given.said == TICKED and not given.ticked:
        raise DataError("No image is ticked. Tick the images that count, or choose that none counts.")
    if not set(given.ticked) <= set(given.shown):
        raise DataError("An image is ticked that the group does not show. Load the page again.")


def _known(settings: Settings, once: UUID) -> int | None:
    with reading(settings) as session:
        return session.scalar(select(ScopeDecision.answers).where(ScopeDecision.once == str(once)))


def _answered(settings: Settings, viewer: Viewer, one: Attribute, given: Decision) -> Taken:
    """Let the images have the answers that the decision says."""
    sides = [("counts", one.classes[0], given.counting)]
    if len(one.classes) == 2:
        sides.append(("other", one.classes[1], given.other))
    batches = [
        Chosen(uuid5(given.once, f"send {part}"), uuid5(given.once, part), value, images)
        for part, value, images in sides
        if images
    ]
    if not batches:
        return Taken(STORED)
    done = take_chosen.take(settings, viewer, one.name, one.revision, batches).values()
    refused = sorted({outcome.state for outcome in done} - {STORED})
    return Taken(refused[0] if refused else STORED, sum(outcome.stored for outcome in done))


def _record(settings: Settings, viewer: Viewer, one: Attribute, given: Decision, answers: int) -> None:
    names = [normalise(name) for name in given.shown]
    with writing(settings) as session:
        if session.scalar(select(ScopeDecision.id).where(ScopeDecision.once == str(given.once))) is not None:
            return
        there = dict(session.execute(select(Asset.asset_id, Asset.id).where(Asset.asset_id.in_(names))).all())
        session.add(
            ScopeDecision(
                attribute_id=one.id,
                once=str(given.once),
                revision=one.revision,
                who=viewer.name,
                expert_id=viewer.expert_id,
                said=given.said,
                shown=[there[name] for name in names if name in there],
                ticked=[there[name] for name in map(normalise, given.ticked) if name in there],
                note=without_controls(" ".join(given.note.split()))[:LONGEST_NOTE],
                answers=answers,
                decided_at=now(),
            )
        )
