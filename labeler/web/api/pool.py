"""What a notebook needs beside probes and labels: the list of questions, and the images themselves."""

from __future__ import annotations

from typing import Annotated, TypedDict

from flask import Response, jsonify
from sqlalchemy import select

from attune.labeler.answers import totals
from attune.labeler.assets import media
from attune.labeler.records.paging import page_of
from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.labeler.web.api.described import PAGES, error, json_answer, text, whole
from attune.labeler.web.api.routes import get


class Question(TypedDict):
    """An attribute as it is asked today, and how much was answered."""

    attribute: str
    question: str
    definition: str
    classes: list[str]
    revision: int
    answers: Annotated[int, "Answers that count today, skips left out."]
    assets: Annotated[int, "Images with an answer."]


class Questions(TypedDict):
    """A page of the list of questions."""

    questions: list[Question]
    page: int
    pages: int
    total: int


@get(
    "/attributes",
    "List the questions",
    {
        200: json_answer("One page of questions, sorted by name.", Questions),
        422: error("The page number is not valid."),
    },
    query=PAGES,
    about="For owners and admins. Also the questions that have no published version yet.",
)
def questions(page: int, size: int) -> Response:
    """Every attribute that is not retired, with its question, classes and answers."""
    with reading(auth.settings()) as session:
        query = select(Attribute).where(Attribute.retired_at.is_(None)).order_by(Attribute.name)
        shown = page_of(session, query, page, size)
        counts = totals.count(session, {row.id: row.classes for row in shown.items})
        rows = [_question(row, counts.get(row.id, totals.Counts())) for row in shown.items]
    return jsonify(Questions(questions=rows, page=shown.number, pages=shown.pages, total=shown.total))


def _question(row: Attribute, counts: totals.Counts) -> Question:
    return Question(
        attribute=row.name,
        question=row.question,
        definition=row.definition,
        classes=list(row.classes),
        revision=row.revision,
        answers=counts.answers,
        assets=counts.assets,
    )


@get(
    "/image",
    "Get an image",
    {
        200: {"description": "A JPEG.", "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
        404: error("The asset does not exist, or was removed."),
        422: error("The size is not valid, or the image file is gone."),
    },
    query=(
        text("asset_id", "The image's asset_id."),
        whole("size", 256, "Pixels of the longer side; the next of 128, 256, 512, 1024, 2048 is sent.", most=2048),
    ),
    about="For owners and admins.",
)
def image(asset_id: str, size: int) -> Response:
    """The image of an asset as a JPEG that fits a square of ``size`` pixels."""
    settings = auth.settings()
    with reading(settings) as session:
        asset = media.visible_asset(session, asset_id)
    response = Response(media.thumbnail(settings, asset, size), mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=300"
    return response
