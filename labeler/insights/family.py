"""What the answers of a run say of each other: which are sure beside all others, whatever was looked at before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.insights.insights import LARGEST_Q, basis_of
from attune.labeler.records.schema import Insight, InsightVersion
from attune.models.insights.any_time import Look, any_time_ci, any_time_p, later_ci, later_p
from attune.models.insights.false_discovery import q_values
from attune.models.insights.shrinkage import shrink
from attune.models.insights.within_title import LEVEL


@dataclass(frozen=True)
class FirstLook:
    """``look`` and what it was made of: rows of one ``basis``, ``within`` titles or across, the feature's ``values``,
    and whether its errors were ``corrected``.

    Its question's contrast and canvas are frozen. Of older answers the values are not known, "".
    """

    look: Look
    basis: str
    within: bool
    values: str
    corrected: bool = False


def first_looks(session: Session) -> dict[int, FirstLook | None]:
    """Of each question that has had a figure in some run, its first that may be published; None where all of them
    could be seen before."""
    wanted = select(Insight.question_id, InsightVersion.figures)
    wanted = wanted.join(Insight, Insight.id == InsightVersion.insight_id).where(InsightVersion.grade != "")
    found: dict[int, FirstLook | None] = {}
    for question, figures in session.execute(wanted.order_by(InsightVersion.id)):
        found[question] = found.get(question) or (None if figures.get("seen") else look_of(figures))
    return found


def first_looks_beside(session: Session) -> dict[int, FirstLook | None]:
    """The same of what was asked beside another feature (``beside``)."""
    wanted = select(InsightVersion.figures).where(InsightVersion.grade != "").order_by(InsightVersion.id)
    found: dict[int, FirstLook | None] = {}
    for figures in session.scalars(wanted):
        for one in figures.get("depends", ()):
            if one["estimate"] is not None:
                found[one["id"]] = found.get(one["id"]) or (None if one["seen"] else look_of(one))
    return found


def look_of(figures: Mapping[str, Any]) -> FirstLook:
    """The look of an answer's figures."""
    look = Look(*(figures[name] for name in ("estimate", "se", "p", "degrees")))
    corrected = bool(figures.get("corrected") or figures.get("audits"))  # the latter of a dependence
    return FirstLook(look, basis_of(figures), figures["within"], figures.get("values", ""), corrected)


def decide(told: list[dict[str, Any]], looks: Mapping[int, FirstLook | None], q: float) -> None:
    """Give each answer its p value at any time, q and shrunk figure, within titles and across them apart.

    ``looks``: see ``first_looks``. A question that had a figure and has none any more, and one that may have been
    chosen for its figure, count as answers that say nothing: they make no other surer. Sure is a q up to ``q``, and
    never above ``LARGEST_Q``.
    """
    for one in told:
        one["figures"]["largest_q"] = min(q, LARGEST_Q)
        _at_any_time(one["figures"], looks.get(one["question"].id))
    for within in (True, False):
        _together([one for one in told if one["figures"]["within"] is within], looks)


def _at_any_time(figures: dict[str, Any], first: FirstLook | None) -> None:
    if figures["estimate"] is None:
        return
    now = look_of(figures)
    if first is None or _same(first.look, now.look):
        figures["any_time"] = _told("first", any_time_p(now.look, None), any_time_ci(now.look, None, LEVEL))
    elif replace(first, look=now.look) == now:
        p, ci = any_time_p(now.look, first.look), any_time_ci(now.look, first.look, LEVEL)
        figures["any_time"] = _told("later", p, ci)
    else:  # a first look at another figure says nothing of this one, and has spent its half of the chance
        figures["any_time"] = _told("later", later_p(now.look), later_ci(now.look, LEVEL))


def _same(first: Look, now: Look) -> bool:
    """The same figure again is the same look: other questions came, and no performance of this one."""
    return np.allclose((first.estimate, first.se), (now.estimate, now.se), rtol=1e-9, atol=0)


def _told(look: str, p: float, ci: tuple[float, float]) -> dict[str, Any]:
    return {"p": p, "look": look, "ci": list(ci)}


def _together(group: list[dict[str, Any]], looks: Mapping[int, FirstLook | None]) -> None:
    here = [one["figures"] for one in group]
    if not here:
        return
    estimates = [np.nan if one["estimate"] is None else one["estimate"] for one in here]
    errors = [one.get("se", np.nan) for one in here]
    p = np.array([
        one["figures"]["any_time"]["p"] if one["figures"]["estimate"] is not None
        else 1.0 if one["question"].id in looks else np.nan
        for one in group
    ])  # fmt: skip
    chosen = np.array([one.get("seen", False) for one in here])
    q = np.where(chosen, q_values(p), q_values(np.where(chosen & np.isfinite(p), 1.0, p)))
    drawn = shrink(estimates, errors)
    for place, one in enumerate(here):
        known = one["estimate"] is not None
        one["q"] = float(q[place]) if known else None
        one["shrunk"] = {"estimate": float(drawn.estimate[place]), "se": float(drawn.se[place])} if known else None
