"""A brief as JSON, for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attune.labeler.briefs.brief import Brief
from attune.labeler.briefs.line import Line, Shown
from attune.labeler.briefs.own import Own
from attune.labeler.briefs.tastes import Taste


def as_json(brief: Brief) -> dict[str, Any]:
    """What the page says, without pictures."""
    return {
        "title_id": brief.title_id, "name": brief.name, "summary": brief.summary, "simulated": brief.made_up,
        "images": [one.asset_id for one in brief.images], "own": _own(brief.own), "own_basis": brief.own.basis,
        "lines": [_line(one, brief.films) for one in brief.lines],
        "groups": [_group(one) for one in brief.tastes.groups], "forecast": brief.tastes.forecast,
        "made_at": brief.made_at,
    }  # fmt: skip


def _own(own: Own) -> list[dict[str, Any]]:
    return [
        {"asset_id": name, "impressions": one.impressions, "takes": one.takes, "ratio": one.ratio,
         "ci": None if one.low is None else [one.low, one.high], "said": own.said(name)}
        for name, one in own.images.items()
    ]  # fmt: skip


def _line(line: Line, films: Mapping[str, str]) -> dict[str, Any]:
    words = line.words
    return {
        "insight": line.one.row.id, "feature": line.one.question.feature, "sentence": words.sentence,
        "means": line.one.means, "interval": words.interval, "grade": line.grade, "grade_reason": words.reason,
        "caution": words.caution, "unchecked": words.unchecked, "state": line.state, "moved": list(line.one.moved),
        "use": line.use, "covers": line.covers, "missing": line.missing, "here": line.here,
        "what_to_do": line.to_do.text, "has": list(line.has), "lacks": list(line.lacks), "why_here": line.why_here,
        "worked": _shown(line.worked, films), "avoid": _shown(line.avoid, films),
    }  # fmt: skip


def _shown(images: Sequence[Shown], films: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"asset_id": one.asset_id, "title_id": one.title_id, "name": films.get(one.asset_id, ""), "said": one.said}
        for one in images
    ]


def _group(taste: Taste) -> dict[str, Any]:
    return {
        "group": taste.group, "members": taste.members, "missing": taste.missing, "covers": taste.covers,
        "liked": list(taste.liked),
    }  # fmt: skip
