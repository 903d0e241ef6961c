"""The groups of similar images that the decision line of an attribute cuts through, as `learn` leaves them.

One row for each attribute in the records, so that clearing the cache brings no others. Everybody sees the same groups,
and they are made again only with a new revision or after each ``viewer.TOLD_EVERY`` answers to what was asked, as the
figures that experts read. A group that moved with each answer would tell an expert who answers images of one title by
choice, and then looks, whether the probe has learned from them: that is, whether the title is reserved for audits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy.orm import Session

from attune.labeler.records.schema import Attribute, ScopeGroups
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings

MOST = 20  # groups kept: two rounds of ten
ROUND = 10  # decisions of one sitting


@dataclass(frozen=True)
class Groups:
    """``groups`` of keys (``Asset.id``), the best first, made with run ``run`` of ``revision`` after ``steps`` times
    ``viewer.TOLD_EVERY`` answers. The order in a group is random: it tells no side of the line."""

    run: int
    revision: int
    steps: int
    groups: Sequence[Sequence[int]] = field(default_factory=tuple)

    def holds(self, revision: int, steps: int) -> bool:
        """Whether these groups are still those of ``revision`` and ``steps``.

        Answers that are taken back and given again bring no others: whoever could have them made anew at will would
        see by an own answer whether the probe learns from it.
        """
        return self.revision == revision and steps <= self.steps


def save(settings: Settings, attribute_id: int, made: Groups) -> None:
    """Keep ``made`` in place of the groups of before."""
    with writing(settings) as session:
        session.merge(ScopeGroups(attribute_id=attribute_id, **asdict(made)))


def load(session: Session, attribute: Attribute) -> Groups | None:
    """The groups of the attribute's newest revision; None where no run has left any yet."""
    row = session.get(ScopeGroups, attribute.id)
    if row is None or row.revision != attribute.revision:
        return None
    return Groups(row.run, row.revision, row.steps, row.groups)
