"""The pool."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from attune.labeler.views.assets import assets
from attune.labeler.web import auth

blueprint = Blueprint("assets", __name__)


@blueprint.get("/assets")
def page() -> ResponseReturnValue:
    """Pictures of the pool, searched by id or title."""
    query = request.args.get("q", "").strip()[:200]
    number = request.args.get("page", 1, int)
    return render_template("assets.html", grid=assets(auth.settings(), auth.viewer(), query, number))
