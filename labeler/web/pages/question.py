"""The images nearest to a prompt, as a part of the page New question: asked for while somebody types."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from attune.labeler.explore.search import LONGEST_TEXT
from attune.labeler.views.nearest import Nearest, nearest
from attune.labeler.web import auth
from attune.labeler.web.pages.class_images import PAIR
from attune.models.errors import ServiceDown

blueprint = Blueprint("question", __name__)
PATIENCE_SECONDS = 1.0
REDIS_AWAY = "No images to show: Redis is unavailable. You can create the question anyway."


@blueprint.get("/new-attribute/nearest")
def pictures() -> ResponseReturnValue:
    """The images of ``?phrase=``, and those that are also near to ``?against=``, as HTML.

    ``place``: the rows of the classes that an image can be chosen for.
    """
    phrase, against = (request.args.get(name, "").strip()[:LONGEST_TEXT] for name in ("phrase", "against"))
    offers = [(place, "") for place in request.args.getlist("place", int)[:PAIR] if place >= 0]
    return render_template("_nearest.html", found=found(phrase, against), offers=offers, chosen_for=None)


def found(phrase: str, against: str) -> Nearest | None:
    """What the pool has for a prompt; None for an empty one."""
    if not phrase:
        return None
    try:
        return nearest(auth.settings(), auth.viewer(), phrase, against, PATIENCE_SECONDS)
    except ServiceDown:
        return Nearest(phrase, against, unread=REDIS_AWAY)
