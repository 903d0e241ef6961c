"""What owners read of an attribute beside its probes: its labels, its champion's drift; and everyone's notices."""

from __future__ import annotations

from typing import TypedDict

from flask import Response, jsonify

from attune.labeler.exchange import export_files
from attune.labeler.views import drift as drifting
from attune.labeler.views import notices as notices_view
from attune.labeler.web import auth
from attune.labeler.web.api.described import Query, error, flag, json_answer, whole
from attune.labeler.web.api.routes import get
from attune.labeler.web.pages.exchange import sent
from attune.models.catalog.manifest import check_name


class Notices(TypedDict):
    """A page of the notices."""

    notices: list[notices_view.NoticeRow]
    page: int
    pages: int
    total: int


@get(
    "/labels/<name>",
    "Export an attribute's labels",
    {
        200: {
            "description": "One row per answer or image, or a list of tasks for Label Studio.",
            "headers": {"Attune-Rows": {"description": "The number of rows.", "schema": {"type": "integer"}}},
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
                "application/json": {"schema": {"type": ["object", "array"]}},
            },
        },
        404: error("The attribute does not exist."),
        422: error("The format or the name is not valid, or label-studio was asked for with `agreed`."),
    },
    query=(
        Query(
            "format",
            "The file format. label-studio is the JSON of Label Studio.",
            {"enum": list(export_files.FORMATS), "default": export_files.CSV},
            lambda sent: export_files.CSV if sent is None else sent,  # the export itself refuses another
        ),
        flag("agreed", "Labels (one row per image) instead of answers. Not with the format label-studio."),
    ),
    about="For owners and admins, because every row names an expert.",
)
def labels(name: str, format: str, agreed: bool) -> Response:
    """An attribute's labels, for those who manage it: one row an answer, or an image with ``agreed``."""
    return sent(export_files.export(auth.settings(), check_name(name), format, agreed))


@get(
    "/drift/<name>",
    "Read the champion's drift",
    {
        200: json_answer("State, values with intervals, and the rule of the alarm.", drifting.DriftFacts),
        404: error("The attribute does not exist."),
        422: error("The name is not valid."),
    },
    about="For owners and admins: the scores of new assets, compared with those at publication.",
)
def drift(name: str) -> Response:
    """How far the champion's scores have moved on the assets that came since publication."""
    return jsonify(drifting.to_dict(drifting.drift(auth.settings(), check_name(name))))


@get(
    "/notices",
    "List the notices",
    {
        200: json_answer("One page of the notices, newest first.", Notices),
        422: error("The page number is not valid."),
    },
    query=(whole("page", 1),),
    about="Owners see all notices. Experts see only their own.",
)
def notices(page: int) -> Response:
    """What happened that the asker should know, newest first."""
    notice_page = notices_view.notices(auth.settings(), auth.viewer(), page)
    rows = [notice.to_dict() for notice in notice_page.items]
    return jsonify(notices=rows, page=notice_page.number, pages=notice_page.pages, total=notice_page.total)
