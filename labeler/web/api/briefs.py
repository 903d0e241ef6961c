"""A title's brief, as the API answers it: as JSON, or as the file that the title's page offers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypedDict

from flask import Response, jsonify

from attune.labeler.briefs import files
from attune.labeler.briefs.as_json import as_json
from attune.labeler.briefs.brief import brief
from attune.labeler.web import auth
from attune.labeler.web.api.described import Query, error, json_answer
from attune.labeler.web.api.routes import get
from attune.models.errors import DataError

JSON = "json"


class BriefLine(TypedDict):
    """An insight beside the title's own images; the strongest evidence comes first."""

    insight: int
    feature: str
    sentence: str
    means: Annotated[str, "What the feature means, in a sentence; empty where nobody said so."]
    interval: str
    grade: Annotated[str, "A to D."]
    grade_reason: Annotated[str, "Why it has this grade."]
    caution: Annotated[str, "What nobody knows of it, such as the errors of a detector that people have not checked."]
    unchecked: Annotated[str, "That nobody has checked the feature's values here; empty where people have."]
    state: Annotated[str, "Whether anybody stands for it."]
    moved: Annotated[list[str], "What changed since, so that it is stale; empty where it is up to date."]
    use: Annotated[str, "The images that are taken more often, after the word images."]
    covers: Annotated[str, "What the title has of it, in words."]
    missing: Annotated[bool, "Whether the title has no image that is taken more often."]
    here: Annotated[str, "How the title's own images speak against it; empty where they do not."]
    what_to_do: Annotated[str, "In one line, for this title."]
    has: Annotated[list[str], "Images of the title that are taken more often elsewhere."]
    lacks: Annotated[list[str], "Its images of the other side."]
    why_here: Annotated[str, "Why it stands where it does: how strong the evidence is."]
    worked: Annotated[list[dict[str, Any]], "Images of other titles, with its name and how often each was taken."]
    avoid: Annotated[list[dict[str, Any]], "Images of the same titles that were taken less often."]


class OwnImage(TypedDict):
    """How an image of the title did, from the rows of its performance."""

    asset_id: str
    impressions: int
    takes: float
    ratio: Annotated[float | None, "How many times as often as the title's other images; null: not enough takes yet."]
    ci: Annotated[list[float] | None, "95 %, of all images of the title together; of counts alone."]
    said: Annotated[str, "The same in words."]


class BriefGroup(TypedDict):
    """The taste of a group of members."""

    group: int
    members: Annotated[int, "Rounded."]
    missing: Annotated[bool, "Whether the title has nothing for this group."]
    covers: str
    liked: Annotated[list[str], "Images of the title that the group takes more often than others do."]


class BriefOut(TypedDict):
    """What is known for a title's next artwork."""

    title_id: str
    name: str
    summary: Annotated[str, "The brief in one sentence."]
    simulated: Annotated[bool, "Whether a line rests on made-up performance."]
    images: Annotated[list[str], "The title's images."]
    own: Annotated[list[OwnImage], "Those that were shown."]
    own_basis: Annotated[str, "What these figures are of, and how far to believe them."]
    lines: list[BriefLine]
    groups: list[BriefGroup]
    forecast: Annotated[str, "Who will watch it, in words; empty where nobody can tell."]
    made_at: datetime


MADE = json_answer("The brief.", BriefOut)
MADE["content"] |= {
    "text/html": {"schema": {"type": "string"}},
    "application/pdf": {"schema": {"type": "string", "format": "binary"}},
}


@get(
    "/titles/<path:title>/brief",
    "Get the brief of a title",
    {
        200: MADE,
        404: error("No image of the title is in the pool."),
        422: error("`to` is another kind of file."),
    },
    query=(
        Query(
            "to", "The kind of file.", {"enum": [JSON, *files.KINDS], "default": JSON},
            lambda sent: JSON if sent is None else sent,  # the view refuses another
        ),
    ),
    about="For owners and admins, as the title's page. The files hold their pictures.",
)  # fmt: skip
def title_brief(title: str, to: str) -> Response:
    """The brief, without what a probe says of images that wait for the caller's own answer."""
    settings, viewer = auth.settings(), auth.viewer()
    if to not in {JSON, *files.KINDS}:
        raise DataError(f"to: {to[:20]!r} is not json, html or pdf. Leave it out for JSON.")
    if to == JSON:
        response = jsonify(as_json(brief(settings, title, viewer)))
    else:
        kind = files.KINDS[to].partition(";")[0]
        response = Response(files.written(settings, title, to, viewer)[1], mimetype=kind)
    response.headers["Cache-Control"] = "private, no-store"
    return response
