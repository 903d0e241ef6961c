"""The columns of a members' file, viewing or responses, and what is wrong with a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attune.labeler.performance.clean import unless
from attune.labeler.performance.columns import ARMS
from attune.labeler.performance.columns import FAULTS as PERFORMANCE
from attune.labeler.performance.duck import literal

VIEWING, RESPONSES = "viewing", "responses"
ABOUT = dict(PERFORMANCE)


@dataclass(frozen=True)
class Layout:
    """A kind of file. ``faults``: what may be wrong with a row, in this order, and the SQL that finds it.

    ``texts`` and ``numbers`` are fields; of two rows with the same ``again`` (if it is set), the second is ``doubled``.
    ``kept`` is SQL of the rows that stay, added up.
    """

    required: Sequence[str]
    texts: Sequence[str]
    numbers: Sequence[str]
    faults: Sequence[tuple[str, str, str]]
    again: str
    doubled: tuple[str, str]
    kept: str

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields, those that it needs first."""
        return (*self.required, *(one for one in (*self.texts, *self.numbers) if one not in self.required))


NO_MEMBER = ("no member", "it has no member", "member = ''")
NO_TITLE = ("no title_id", ABOUT["no title_id"], "title_id = ''")
LAYOUTS: Mapping[str, Layout] = {
    VIEWING: Layout(
        ("member", "title_id"), ("member", "title_id", "time"), ("minutes",),
        (NO_MEMBER, NO_TITLE,
         ("bad minutes", "its minutes are not a number above 0",
          f"t_minutes <> '' AND {unless('minutes > 0 AND minutes < 1e9')}"),
         ("bad time", "its time is not a date or a time, such as 2026-01-05 or 2026-01-05 20:15",
          "time <> '' AND TRY_CAST(time AS TIMESTAMP) IS NULL")),
        "CASE WHEN time = '' THEN 'line ' || line ELSE member || ' ' || CAST(time AS TIMESTAMP) || ' ' || title_id END",
        ("twice", "an earlier row has the same member, title and time"),
        "SELECT member, title_id, sum(minutes) AS minutes FROM {rows} GROUP BY ALL ORDER BY ALL",
    ),
    RESPONSES: Layout(
        ("member", "asset_id", "title_id", "impressions", "takes"), ("member", "asset_id", "title_id", "arm"),
        ("impressions", "takes"),
        (NO_MEMBER, ("no asset_id", ABOUT["no asset_id"], "asset_id = ''"), NO_TITLE,
         ("bad impressions", "its impressions are not a whole number of 1 or more",
          unless("impressions >= 1 AND impressions = trunc(impressions) AND impressions < 9e15")),
         ("bad takes", ABOUT["bad takes"], unless("takes >= 0")),
         ("takes above impressions", ABOUT["takes above impressions"], "takes > impressions"),
         ("bad arm", ABOUT["bad arm"], f"arm NOT IN ({', '.join(map(literal, ARMS))})")),
        "",
        ("two titles", "an earlier row has its image under another title"),
        "SELECT member, asset_id, title_id, arm, sum(impressions) AS impressions, sum(takes) AS takes FROM {rows} "
        "GROUP BY ALL ORDER BY ALL",
    ),
}  # fmt: skip
