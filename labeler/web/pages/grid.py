"""Pages of images: the page itself, and what its script asks for; or the way to a Label Studio without our modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.exceptions import BadRequest

from attune.labeler.jobs import jobs
from attune.labeler.labelling import availability, more_pages, next_pages, own_queue, take_pages
from attune.labeler.labelling.next_pages import Page, Place
from attune.labeler.labelling.take_pages import PageAnswer
from attune.labeler.views.grid import next_page, progress
from attune.labeler.views.labelling import labelling_page
from attune.labeler.web import auth, media, script_words, sent_answers
from attune.labeler.web.pages.label import MOST_HELD, WINDOW

blueprint = Blueprint("grid", __name__, url_prefix="/attributes/<name>/pages")
MOST_PLACES = 100  # on one page


@blueprint.get("")
def page(name: str) -> ResponseReturnValue:
    """The line to tick by and an empty grid, which the script fills; without our modules the way to Label Studio."""
    found = labelling_page(auth.settings(), auth.viewer(), name)
    if not availability.is_available(auth.settings()):
        return redirect(url_for("grid.wait", name=name))
    return render_template("pages.html", page=found, words=script_words.pages())


@blueprint.get("/next")
def next_(name: str) -> ResponseReturnValue:
    """The next pages as JSON, less those whose keys come as ``held``, separated by commas."""
    held = [key for key in request.args.get("held", "").split(",") if key][:MOST_HELD]
    found = next_pages.ahead(auth.settings(), auth.viewer(), name, held)
    return jsonify(
        revision=found.revision,
        pages=[_page(one) for one in found.pages],
        images=found.images,
        today=found.today,
        advice=found.advice,
        paused=found.paused,
        past=[_page(one) for one in found.past],
    )


@blueprint.post("/more")
def more(name: str) -> ResponseReturnValue:
    """Have more pages made, until as many images wait as the browser asks for."""
    own_queue.check(auth.settings(), auth.viewer(), name)
    sent: Any = request.get_json(silent=True)
    try:
        images, again = int(sent["images"]), bool(sent.get("again"))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadRequest(gettext("The number of images is missing. Load the page again.")) from error
    making = more_pages.ask(auth.settings(), auth.viewer(), name, images, again)
    return jsonify(state=making.state, text=making.text)


@blueprint.post("/answers")
def answers(name: str) -> ResponseReturnValue:
    """Take answers to pages, and say of each what became of it."""
    own_queue.check(auth.settings(), auth.viewer(), name)
    given, revision = sent_answers.read(request.get_json(silent=True), _answer)
    outcome = take_pages.take(auth.settings(), auth.viewer(), name, revision, given)
    return jsonify(answers=outcome, paused=own_queue.is_paused(auth.settings(), auth.viewer(), name))


@blueprint.post("")
def start(name: str) -> ResponseReturnValue:
    """Ask the workers for pages to be answered in Label Studio, unless one waits."""
    settings, viewer = auth.settings(), auth.viewer()
    waiting = next_page(settings, viewer, name)
    # Not on to Label Studio from here: the policy of our pages lets no form lead to another host.
    job = None if waiting.link else jobs.enqueue(settings, "grid", attribute=name, expert=waiting.expert)
    return redirect(url_for("grid.wait", name=name, job=job))


@blueprint.get("/label-studio")
def wait(name: str) -> ResponseReturnValue:
    """A line of progress until the pages are there, then on to Label Studio."""
    found = progress(auth.settings(), auth.viewer(), name, request.args.get("job", ""))
    return render_template("grid.html", name=name, found=found)


def _page(one: Page) -> dict[str, Any]:
    return {
        "key": one.key,
        "ticked": one.ticked,
        "unticked": one.unticked,
        "images": [_image(place) for place in one.images],
        "marks": {str(number): mark for number, mark in one.marks.items()},
        "skipped": one.is_skipped,
        "left": list(one.left),
    }


def _image(place: Place) -> dict[str, Any]:
    address = media.path_of(place.asset_id)
    whole = f"{address}?size={WINDOW}" if max(place.width, place.height) > WINDOW else address
    small = media.path_of(place.asset_id, small=True)
    return {"place": place.number, "image": small, "whole": whole, "width": place.width, "height": place.height}


def _answer(row: Mapping[str, Any]) -> PageAnswer:
    look, age = sent_answers.seconds(row), sent_answers.age(row)
    ticked, unsure, left = (_places(row[mark]) for mark in ("ticked", "unsure", "left"))
    skip, first, more = bool(row.get("skip")), bool(row.get("first")), sent_answers.more_seconds(row)
    return PageAnswer(str(UUID(row["once"])), str(row["key"]), ticked, unsure, left, look, skip, age, first, more)


def _places(sent: Any) -> frozenset[int]:
    if not isinstance(sent, list) or len(sent) > MOST_PLACES:
        raise ValueError(sent)
    return frozenset(int(number) for number in sent)
