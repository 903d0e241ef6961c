"""The labelling page, and the two addresses that its script asks: the next questions, and where answers go."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from attune.labeler.label_studio.answering import AT_ONCE
from attune.labeler.labelling import availability, next_questions, own_queue, take_answers
from attune.labeler.labelling.next_questions import Question
from attune.labeler.labelling.take_answers import Answer
from attune.labeler.views.labelling import labelling_page
from attune.labeler.web import auth, media

blueprint = Blueprint("label", __name__, url_prefix="/attributes/<name>/label")
WINDOW = 2048  # pixels: what a window shows of an image; a larger one is sent small, and whole when zoomed
MOST_HELD = 80
UNREADABLE = "The answers are not in the expected form. Load the page again."


@blueprint.get("")
def page(name: str) -> ResponseReturnValue:
    """The question, its keys and an empty stage, which the script fills; where it cannot be used, Label Studio's."""
    found = labelling_page(auth.settings(), auth.viewer(), name)
    if not availability.is_available(auth.settings()):
        return redirect(found.label_studio)
    return render_template("label.html", page=found)


@blueprint.get("/next")
def next_(name: str) -> ResponseReturnValue:
    """The next questions as JSON, less those whose keys come as ``held``, separated by commas."""
    held = [key for key in request.args.get("held", "").split(",") if key][:MOST_HELD]
    sheet = next_questions.ahead(auth.settings(), auth.viewer(), name, held)
    return jsonify(
        revision=sheet.revision,
        left=sheet.left,
        today=sheet.today,
        rare=sheet.rare,
        questions=[_shown(one) for one in sheet.questions],
        past=[_shown(one.question) | {"value": one.value} for one in sheet.past],
    )


@blueprint.post("/answers")
def answers(name: str) -> ResponseReturnValue:
    """Take answers, and say of each what became of it."""
    own_queue.check(auth.settings(), auth.viewer(), name)
    given, revision = _given(request.get_json(silent=True))
    outcome = take_answers.take(auth.settings(), auth.viewer(), name, revision, given)
    return jsonify(answers=outcome)


def _shown(one: Question) -> dict[str, Any]:
    address = media.path_of(one.asset_id)
    small = f"{address}?size={WINDOW}" if max(one.width, one.height) > WINDOW else address
    return {"key": one.key, "image": small, "whole": address, "width": one.width, "height": one.height}


def _given(sent: Any) -> tuple[list[Answer], int]:
    try:
        rows: list[Mapping[str, Any]] = sent["answers"]
        if not 0 < len(rows) <= AT_ONCE:
            raise ValueError(len(rows))
        return [_answer(row) for row in rows], int(sent["revision"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadRequest(UNREADABLE) from error


def _answer(row: Mapping[str, Any]) -> Answer:
    seconds = float(row["seconds"])
    if not math.isfinite(seconds):
        raise ValueError(seconds)
    return Answer(str(UUID(row["once"])), str(row["key"]), str(row["value"]), seconds, age(row))


def age(row: Mapping[str, Any]) -> float:
    """Seconds since an answer was given, from its milliseconds ``age`` (default 0). Raises ValueError, TypeError."""
    sent = float(row.get("age", 0))
    if not math.isfinite(sent):
        raise ValueError(sent)
    return max(sent, 0.0) / 1000
