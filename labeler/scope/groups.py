"""The groups of similar images that the decision line of an attribute cuts through, as `learn` leaves them.

One JSON file for each attribute in the workspace's cache. Everybody sees the same groups, and they are made again only
with a new revision or after each ``viewer.TOLD_EVERY`` answers to what was asked, as the figures that experts read. A
group that moved with each answer would tell an expert who answers images of one title by choice, and then looks,
whether the probe has learned from them: that is, whether the title is reserved for audits.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from attune.labeler.records.schema import Attribute
from attune.labeler.settings import Settings
from attune.models.files.atomic import write_json

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
    path = _place(settings, attribute_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(made))


def load(settings: Settings, attribute: Attribute) -> Groups | None:
    """The groups of the attribute's newest revision; None where no run has left any yet."""
    try:
        kept = Groups(**json.loads(_place(settings, attribute.id).read_text()))
    except FileNotFoundError:
        return None
    return kept if kept.revision == attribute.revision else None


def _place(settings: Settings, attribute_id: int) -> Path:
    return settings.workspace / "cache" / "scope-groups" / f"{attribute_id}.json"
