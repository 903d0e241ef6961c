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
from attune.labeler.scope import stored
from attune.labeler.scope.stored import ALL, NONE, SKIP, TICKED
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AccessError, AlreadyThere, DataError
from attune.models.files.cell_ids import normalise
from attune.models.text import without_controls

SAID = (ALL, NONE, TICKED, SKIP)
MOST = 48  # images of one group
LONGEST_NOTE = 200
NOT_OFFERED = "This group was decided in the meantime, or it has changed. Nothing was stored. Load the page again."
PARTS = ("counts", "other")  # names of the batches of answers


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
    """Store the viewer's decision about a group of revision ``revision``, then its answers.

    An image that counts gets the first class. One that does not gets the other of two classes; where there are more
    it gets no answer, as nobody said which. To send a decision again goes on with its answers as it was first sent.

    Raises UnknownAttribute, AccessError, DataError for what is no decision and AlreadyThere for what is no group that
    is offered now: then nothing was stored. LabelStudioUnreachable, LabelStudioRefused as `take_chosen.take`: then the
    decision is stored and may be sent again or taken back, and so it is where the state is not ``STORED``.
    """
    with reading(settings) as session:
        one = attributes.find(session, name)
        answering = labels(session, settings, viewer, one)
        row = _known(session, viewer, one, given.once)
    if one.revision != revision:
        return Taken(REVISED)
    if row is None:
        _check(given)
        row = _record(settings, viewer, one, given)
    if row is None:
        return Taken(REVISED)
    taken = _answered(settings, viewer, one, row) if answering else Taken(STORED, row.answers)
    if taken.state == STORED and taken.answers != row.answers:
        with writing(settings) as session:
            session.execute(update(ScopeDecision).where(ScopeDecision.id == row.id).values(answers=taken.answers))
    return taken


def _check(given: Decision) -> None:
    if given.said not in SAID:
        raise DataError(f"said: {given.said[:40]!r} is no decision. Use one of {', '.join(SAID)}.")
    if not 1 <= len(given.shown) <= MOST:
        raise DataError(f"{len(given.shown)} images shown. A group has 1 to {MOST} images.")
    if given.said == TICKED and not given.ticked:
        raise DataError("No image is ticked. Tick the images that count, or choose that none counts.")
    if not set(given.ticked) <= set(given.shown):
        raise DataError("An image is ticked that the group does not show. Load the page again.")


def _known(session: Session, viewer: Viewer, one: Attribute, once: UUID) -> ScopeDecision | None:
    """The viewer's decision of that name. Raises AlreadyThere where it was taken back, or is somebody else's."""
    row = session.scalars(select(ScopeDecision).where(ScopeDecision.once == str(once))).one_or_none()
    if row is not None and (row.undone_at is not None or (row.who, row.attribute_id) != (viewer.name, one.id)):
        raise AlreadyThere(NOT_OFFERED)
    return row


def _answered(settings: Settings, viewer: Viewer, one: Attribute, row: ScopeDecision) -> Taken:
    """Let the images have the answers that the decision says."""
    with reading(settings) as session:
        there = select(Asset.id, Asset.asset_id).where(Asset.id.in_([int(key) for key in row.shown]))
        names = {key: asset_id for key, asset_id in session.execute(there)}  # noqa: C416
    once = UUID(row.once)
    values = one.classes if len(one.classes) == 2 else one.classes[:1]
    batches = [
        Chosen(uuid5(once, f"send {part}"), uuid5(once, part), value, [names[key] for key in keys if key in names])
        for part, value, keys in zip(PARTS, values, stored.sides(row), strict=False)
        if keys
    ]
    if not batches:
        return Taken(STORED)
    done = take_chosen.take(settings, viewer, one.name, one.revision, batches).values()
    refused = sorted({outcome.state for outcome in done} - {STORED})
    return Taken(refused[0] if refused else STORED, sum(outcome.stored for outcome in done))


def _record(settings: Settings, viewer: Viewer, one: Attribute, given: Decision) -> ScopeDecision | None:
    """Store the decision with no answers yet; None where the question was revised in the meantime.

    Raises AlreadyThere where its images are no part of the group that the viewer is offered now.
    """
    names = [normalise(name) for name in given.shown]
    with writing(settings) as session:
        attribute = session.get_one(Attribute, one.id)
        session.refresh(attribute, with_for_update=True)  # one at a time: of two tabs the first decides
        if (known := _known(session, viewer, one, given.once)) is not None:
            return known
        if attribute.revision != one.revision:
            return None
        held = stored.decided(session, one.id)
        there = {asset.asset_id: asset.id for asset in stored.offered(session, viewer, attribute, held)}
        if not set(names) <= set(there):
            raise AlreadyThere(NOT_OFFERED)
        row = ScopeDecision(
            attribute_id=one.id,
            once=str(given.once),
            revision=one.revision,
            who=viewer.name,
            expert_id=viewer.expert_id,
            said=given.said,
            shown=[there[name] for name in names],
            ticked=[there[name] for name in map(normalise, given.ticked)],
            note=without_controls(" ".join(given.note.split()))[:LONGEST_NOTE],
            answers=0,
            decided_at=now(),
        )
        session.add(row)
        session.flush()
        return row
