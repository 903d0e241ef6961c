"""The experts."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from labeler.views.people import people
from labeler.web import auth

blueprint = Blueprint("people", __name__)


@blueprint.get("/people")
def page() -> ResponseReturnValue:
    """Who answers what, and how much."""
    return render_template("people.html", found=people(auth.settings(), request.args.get("page", 1, int)))
