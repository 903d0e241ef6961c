"""A brief as JSON, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attune.labeler.briefs.brief import Brief, Line, Shown
from attune.labeler.briefs.tastes import Taste


def as_json(brief: Brief) -> dict[str, Any]:
    """What the page says, without pictures."""
    return {
        "title_id": brief.title_id, "name": brief.name, "summary": brief.summary, "simulated": brief.made_up,
        "images": [one.asset_id for one in brief.images], "lines": [_line(one) for one in brief.lines],
        "groups": [_group(one) for one in brief.tastes.groups], "forecast": brief.tastes.forecast,
        "made_at": brief.made_at,
    }  # fmt: skip


def _line(line: Line) -> dict[str, Any]:
    words = line.words
    return {
        "insight": line.one.row.id, "feature": line.one.question.feature, "sentence": words.sentence,
        "interval": words.interval, "grade": line.grade, "grade_reason": words.reason, "caution": words.caution,
        "unchecked": words.unchecked, "state": line.state, "use": line.use, "covers": line.covers,
        "missing": line.missing, "has": list(line.has), "lacks": list(line.lacks), "worked": _shown(line.worked),
        "avoid": _shown(line.avoid),
    }  # fmt: skip


def _shown(images: Sequence[Shown]) -> list[dict[str, str]]:
    return [{"asset_id": one.asset_id, "title_id": one.title_id, "said": one.said} for one in images]


def _group(taste: Taste) -> dict[str, Any]:
    return {
        "group": taste.group, "members": taste.members, "missing": taste.missing, "covers": taste.covers,
        "liked": list(taste.liked),
    }  # fmt: skip
