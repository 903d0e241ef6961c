"""Groups of members and forecasts, as the API answers them: no figure of fewer than 50 members is in them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict

from flask import Response, jsonify

from attune.labeler.members import forecasting, groupings
from attune.labeler.records.schema import MemberGrouping
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.labeler.web.api.described import error, json_answer, text
from attune.labeler.web.api.routes import get
from attune.models.errors import UnknownGrouping

FOR = "For owners, admins and pipelines. Pipelines get the champion alone. No figure is of fewer than 50 members."


class MembersOut(TypedDict):
    """A version of groups. Counts of members are rounded to tens."""

    version: int
    kind: Annotated[str, "viewing or responses: what made the groups."]
    groups: Annotated[list[dict[str, Any]], "Number, members, share, and the titles they watch more than others."]
    stability: Annotated[float, "Agreement of two halves of the members: 0 is chance, 1 the same groups."]
    loose: Annotated[bool, "Whether another sample of the members would make other groups."]
    agreement: Annotated[dict[str, float], "The same for each number of groups that was tried."]
    asked: Annotated[int, "Groups before those below the floor were dissolved."]
    unplaced: Annotated[int | None, "Members with too few rows for a group."]
    floor: Annotated[int, "Members that each cell has at least."]
    titles: Annotated[list[dict[str, Any]], "Shares of the groups of each title; null where a cell is hidden."]
    hidden_titles: Annotated[int, "Titles of which nothing can be told."]
    resonance: Annotated[dict[str, Any] | None, "Images that a group takes more or less; log ratios, with grade."]
    forecast: Annotated[dict[str, Any], "How good forecasts are, and what each block of features adds."]
    simulated: Annotated[bool, "Whether its members were made up: nobody did any of it."]
    each_member_once: NotRequired[Annotated[bool, "True: no row counted as a member. Versions before it may lack it."]]
    seed: int
    made_by: NotRequired[Annotated[str, "For owners and admins alone."]]
    made_at: datetime


class ForecastOut(TypedDict):
    """Shares of the viewers of a title that nobody watched yet."""

    title_id: str
    version: int
    grade: Annotated[str, "D: it goes with what is known of the title."]
    posters: Annotated[str, "What artwork adds to the forecast."]
    simulated: Annotated[bool, "Whether the members behind it were made up."]
    shares: Annotated[list[dict[str, Any]], "By group: share, 95 % interval, and the usual share."]


GONE = error("There is no such version, it counted rows as members, or pipelines may not read it.")


@get(
    "/members/<ref>",
    "Get groups of members",
    {200: json_answer("The groups.", MembersOut), 404: GONE},
    about=FOR + " `ref` is a number, latest or champion.",
)
def members(ref: str) -> Response:
    """One version."""
    row = _readable(ref)
    made = {"version": row.id, "seed": row.seed, "made_at": row.made_at}
    if auth.viewer().manages:
        made["made_by"] = row.made_by
    return jsonify({"simulated": False, **made, **row.figures})


@get(
    "/titles/<path:title>/forecast",
    "Forecast the shares of the groups of a title",
    {
        200: json_answer("The shares.", ForecastOut),
        404: error("The title has no image in the pool, or there is no version."),
        422: error("Members watched the title already, or the version has no forecast."),
    },
    query=(text("version", "A number, latest or champion. Default: the champion, else the latest."),),
    about=FOR,
)
def title_forecast(title: str, version: str) -> Response:
    """The forecast for one title."""
    return jsonify(forecasting.forecast(auth.settings(), _readable(version), title))


def _readable(reference: str) -> MemberGrouping:
    """The version, if the caller may read it."""
    settings = auth.settings()
    if auth.viewer().manages:
        return groupings.find(settings, reference)
    with reading(settings) as session:
        used = groupings.champion(session)
    row = groupings.find(settings, reference or groupings.CHAMPION)
    if row.id != used:
        raise UnknownGrouping(f"There is no version {reference[:40]!r} of groups that is in use.")
    return row
