"""The page that asks of one group of similar images after the other: does this count?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.people.viewer import Viewer, may_explore, waiting
from attune.labeler.records.schema import Asset, Attribute, ScopeDecision
from attune.labeler.records.session import reading
from attune.labeler.scope import decisions, groups, stored
from attune.labeler.scope.groups import ROUND
from attune.labeler.scope.listed import who_left
from attune.labeler.scope.stored import SKIP
from attune.labeler.settings import Settings
from attune.labeler.settings.workspace_id import workspace_id
from attune.labeler.views.attribute_page import Example, examples
from attune.labeler.views.pictures import PageImage, picture

SHOWN = 6  # images of each side of a past decision
PAST = 30  # decisions on the page


@dataclass(frozen=True)
class PastDecision:
    """A decision with the images that count and those that do not; ``own``: of the viewer's, to be taken back.

    ``waits``: the viewer may add it to the definition. ``earlier``: the revision that it was about, where the question
    is another now and nothing came of it. ``again``: the name to send it by again, where its answers are not stored.
    ``has_left``: who decided is no longer here.
    """

    key: int
    said: str
    who: str
    note: str
    counts: Sequence[PageImage]
    other: Sequence[PageImage]
    decided_at: datetime
    written: int | None
    own: bool
    waits: bool = False
    earlier: int | None = None
    again: str = ""
    has_left: bool = False


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
        """The number of the group that is decided about, from 1: nobody knows how many follow."""
        return self.done + 1

    @property
    def round_done(self) -> bool:
        """Whether a round has just ended."""
        return self.done > 0 and self.done % ROUND == 0


def scope_page(settings: Settings, viewer: Viewer, name: str) -> ScopePage:
    """The page of the attribute ``name``. Raises UnknownAttribute; AccessError as `decisions.labels`."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        answering = decisions.labels(session, settings, viewer, one)
        rows = stored.decided(session, one.id)
        mine = [row for row in rows if row.who == viewer.name]
        own = [row for row in mine if stored.is_waiting(row, one)]
        return ScopePage(
            name=one.name,
            question=one.question,
            definition=one.definition,
            classes=one.classes,
            revision=one.revision,
            in_scope=examples(session, one.in_scope),
            out_of_scope=examples(session, one.out_of_scope),
            group=[picture(asset) for asset in stored.offered(session, viewer, one, rows)],
            done=len(own),
            past=_past(session, viewer, one, rows if viewer.manages else mine, answering),
            labels=answering,
            waiting=len(stored.waiting(session, one)) if viewer.manages else 0,
            begun=groups.load(session, one) is not None,
            workspace=workspace_id(settings),
        )


def _past(
    session: Session, viewer: Viewer, one: Attribute, rows: Sequence[ScopeDecision], answering: bool
) -> list[PastDecision]:
    """The newest decisions of ``rows``, and all that wait to be added: an owner adds none without having seen it."""
    told = [row for row in rows if row.said != SKIP]
    held = [(row, stored.sides(row)) for at, row in enumerate(told) if at < PAST or stored.is_waiting(row, one)]
    keys = {key for _, (counts, other) in held for key in (*counts[:SHOWN], *other[:SHOWN])}
    # As `may_compare`: others' answers on what waits for the viewer would be read before an own one.
    condition = (Asset.id.in_(keys), may_explore(viewer), Asset.id.not_in(waiting(viewer)))
    there = {row.id: picture(row) for row in session.scalars(select(Asset).where(*condition))}
    gone = who_left(session, [row for row, _ in held])
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
            own=row.who == viewer.name and row.written is None,
            waits=viewer.manages and stored.is_waiting(row, one),
            earlier=row.revision if row.written is None and row.revision != one.revision else None,
            again=row.once if answering and row.who == viewer.name and _lacks_answers(row, one) else "",
            has_left=row.who in gone,
        )
        for row, (counts, other) in held
    ]


def _lacks_answers(row: ScopeDecision, one: Attribute) -> bool:
    """Whether the answers of a decision that waits did not all come through."""
    counts, other = stored.sides(row)
    return stored.is_waiting(row, one) and not row.answers and bool(counts or (other and len(one.classes) == 2))
