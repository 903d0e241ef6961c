"""The page that asks of one group of similar images after the other: does this count?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import exclusion
from attune.labeler.attributes import attributes
from attune.labeler.people.viewer import Viewer, may_explore, waiting
from attune.labeler.records.schema import Annotation, Asset, Attribute, ScopeDecision
from attune.labeler.records.session import reading
from attune.labeler.scope import decisions, definition, groups
from attune.labeler.scope.decisions import SKIP
from attune.labeler.scope.groups import ROUND
from attune.labeler.settings import Settings
from attune.labeler.settings.workspace_id import workspace_id
from attune.labeler.views.attribute_page import Example, examples
from attune.labeler.views.pictures import PageImage, picture
from attune.models.scope.cut_groups import GroupSettings

SMALLEST = GroupSettings().smallest  # images that are still a group once some of it were answered
SHOWN = 6  # images of each side of a past decision
PAST = 30  # decisions on the page


@dataclass(frozen=True)
class PastDecision:
    """A decision with the images that count and those that do not; ``own``: of the viewer's, to be taken back."""

    key: int
    said: str
    who: str
    note: str
    counts: Sequence[PageImage]
    other: Sequence[PageImage]
    decided_at: datetime
    written: int | None
    own: bool


@dataclass(frozen=True)
class ScopePage:
    """What the page shows: the ``group`` to decide about (empty: none), which one of a round it is, what was decided.

    ``labels``: the decisions become answers of the viewer's. ``waiting``: decisions that no revision was made of, told
    to those who may make one. ``begun``: whether a run has left groups at all.
    """

    name: str
    question: str
    definition: str
    classes: Sequence[str]
    revision: int
    in_scope: Sequence[Example]
    out_of_scope: Sequence[Example]
    group: Sequence[PageImage]
    done: int
    past: Sequence[PastDecision]
    labels: bool
    waiting: int
    begun: bool
    workspace: str  # `workspace_id`

    @property
    def number(self) -> int:
        """The place of the group in its round, from 1."""
        return self.done % ROUND + 1

    @property
    def round_done(self) -> bool:
        """Whether a round has just ended."""
        return self.done > 0 and self.done % ROUND == 0


def scope_page(settings: Settings, viewer: Viewer, name: str) -> ScopePage:
    """The page of the attribute ``name``. Raises UnknownAttribute; AccessError as `decisions.labels`."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        answering = decisions.labels(session, settings, viewer, one)
        rows = _decided(session, one)
        kept = groups.load(settings, one)
        own = [row for row in rows if row.who == viewer.name and row.written is None and row.said != SKIP]
        told = rows if viewer.manages else [row for row in rows if row.who == viewer.name]
        return ScopePage(
            name=one.name,
            question=one.question,
            definition=one.definition,
            classes=one.classes,
            revision=one.revision,
            in_scope=examples(session, one.in_scope),
            out_of_scope=examples(session, one.out_of_scope),
            group=_group(session, viewer, one, kept.groups if kept else (), rows),
            done=len(own),
            past=_past(session, viewer, [row for row in told if row.said != SKIP]),
            labels=answering,
            waiting=len(definition.waiting(session, one.id)) if viewer.manages else 0,
            begun=kept is not None,
            workspace=workspace_id(settings),
        )


def _decided(session: Session, one: Attribute) -> list[ScopeDecision]:
    """All decisions that hold, the newest first."""
    mine = (ScopeDecision.attribute_id == one.id, ScopeDecision.undone_at.is_(None))
    return list(session.scalars(select(ScopeDecision).where(*mine).order_by(ScopeDecision.id.desc())))


def _group(
    session: Session, viewer: Viewer, one: Attribute, found: Sequence[Sequence[int]], rows: Sequence[ScopeDecision]
) -> list[PageImage]:
    """The first group that nobody decided, less what the viewer answered or will be asked: what is left out of it is
    in the viewer's own queue, whatever it waits as, so it tells nothing."""
    decided = {int(key) for row in rows for key in row.shown}
    for keys in found:
        if decided & set(keys):
            continue
        answered = select(Annotation.asset_pk).where(
            Annotation.attribute_id == one.id,
            Annotation.expert_id == (viewer.expert_id or 0),
            exclusion.kept_in_label_studio(),
        )
        free = (may_explore(viewer), Asset.id.not_in(answered), Asset.id.not_in(waiting(viewer)))
        there = {row.id: row for row in session.scalars(select(Asset).where(Asset.id.in_(keys), *free))}
        if len(there) >= SMALLEST:
            return [picture(there[key]) for key in keys if key in there]
    return []


def _past(session: Session, viewer: Viewer, rows: Sequence[ScopeDecision]) -> list[PastDecision]:
    held = [(row, definition.sides(row)) for row in rows[:PAST]]
    keys = {key for _, (counts, other) in held for key in (*counts[:SHOWN], *other[:SHOWN])}
    # As `may_compare`: others' answers on what waits for the viewer would be read before an own one.
    condition = (Asset.id.in_(keys), may_explore(viewer), Asset.id.not_in(waiting(viewer)))
    there = {row.id: picture(row) for row in session.scalars(select(Asset).where(*condition))}
    return [
        PastDecision(
            row.id,
            row.said,
            row.who,
            row.note,
            [there[key] for key in counts[:SHOWN] if key in there],
            [there[key] for key in other[:SHOWN] if key in there],
            row.decided_at,
            row.written,
            row.who == viewer.name and row.written is None,
        )
        for row, (counts, other) in held
    ]
