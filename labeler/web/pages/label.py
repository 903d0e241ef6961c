"""The labelling page, where its script asks for questions and sends answers, and the choice of how to answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.labelling import availability, next_questions, own_queue, page_advice, take_answers
from attune.labeler.labelling.next_questions import Question
from attune.labeler.labelling.take_answers import Answer
from attune.labeler.views.labelling import labelling_page
from attune.labeler.web import auth, media, script_words, sent_answers

blueprint = Blueprint("label", __name__, url_prefix="/attributes/<name>/label")
WINDOW = 2048  # pixels: what a window shows of an image; a larger one is sent small, and whole when zoomed
MOST_HELD = 80
PLACES = {page_advice.SINGLE: "label.page", page_advice.PAGE: "grid.page"}


@blueprint.get("")
def page(name: str) -> ResponseReturnValue:
    """The question, its keys and an empty stage, which the script fills; where it cannot be used, Label Studio's."""
    found = labelling_page(auth.settings(), auth.viewer(), name)
    if not availability.is_available(auth.settings()):
        return redirect(found.label_studio)
    return render_template("label.html", page=found, words=script_words.single_images())


@blueprint.get("/start")
def start(name: str) -> ResponseReturnValue:
    """On to single images or to pages: what the viewer chose, else what Attune suggests."""
    found = page_advice.of_viewer(auth.settings(), auth.viewer(), name)
    return redirect(url_for(PLACES[found.name], name=name))


@blueprint.post("/way")
def choose(name: str) -> ResponseReturnValue:
    """Keep how the viewer answers from now on, and go there; without a way back to what Attune suggests."""
    wanted = request.form.get("way", "")
    page_advice.choose(auth.settings(), auth.viewer(), name, wanted)
    return redirect(url_for(PLACES.get(wanted, "attribute.page"), name=name))


@blueprint.get("/next")
def next_(name: str) -> ResponseReturnValue:
    """The next questions as JSON, less those whose keys come as ``held``, separated by commas."""
    held = [key for key in request.args.get("held", "").split(",") if key][:MOST_HELD]
    upcoming = next_questions.ahead(auth.settings(), auth.viewer(), name, held)
    return jsonify(
        revision=upcoming.revision,
        left=upcoming.left,
        today=upcoming.today,
        advice=upcoming.advice,
        paused=upcoming.paused,
        questions=[shown(one) for one in upcoming.questions],
        past=[shown(one.question) | {"value": one.value} for one in upcoming.past],
    )


@blueprint.post("/answers")
def answers(name: str) -> ResponseReturnValue:
    """Take answers, and say of each what became of it."""
    own_queue.check(auth.settings(), auth.viewer(), name)
    given, revision = sent_answers.read(request.get_json(silent=True), _answer)
    outcome = take_answers.take(auth.settings(), auth.viewer(), name, revision, given)
    return jsonify(answers=outcome, paused=own_queue.is_paused(auth.settings(), auth.viewer(), name))


def shown(one: Question) -> dict[str, Any]:
    """An image as the page's script reads it: where it is, small and whole, and its size in pixels."""
    address = media.path_of(one.asset_id)
    small = f"{address}?size={WINDOW}" if max(one.width, one.height) > WINDOW else address
    return {"key": one.key, "image": small, "whole": address, "width": one.width, "height": one.height}


def _answer(row: Mapping[str, Any]) -> Answer:
    look, age = sent_answers.seconds(row), sent_answers.age(row)
    once, more = str(UUID(row["once"])), sent_answers.more_seconds(row)
    return Answer(once, str(row["key"]), str(row["value"]), look, age, bool(row.get("first")), more)
