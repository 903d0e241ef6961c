"""An attribute's revisions, and what changed between two."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from attune.labeler.views.revisions import revisions_of
from attune.labeler.web import auth

blueprint = Blueprint("revisions", __name__)


@blueprint.get("/attributes/<name>/revisions")
def page(name: str) -> ResponseReturnValue:
    """The history, newest first; ``?before=1&after=3`` compares two."""
    before, after = request.args.get("before", None, int), request.args.get("after", None, int)
    return render_template("revisions.html", found=revisions_of(auth.settings(), name, before, after))
