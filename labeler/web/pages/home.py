"""The first page: every attribute with one next step."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from attune.labeler.views.home import home
from attune.labeler.web import auth

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def page() -> ResponseReturnValue:
    """Every attribute at a glance."""
    number = request.args.get("page", 1, int)
    return render_template("home.html", home=home(auth.settings(), auth.viewer(), number))
