"""Two clusterings beside each other, with one selection carried across."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from attune.labeler.views.beside import beside
from attune.labeler.web import auth

blueprint = Blueprint("beside", __name__, url_prefix="/explore/beside")


@blueprint.get("")
def page() -> ResponseReturnValue:
    """Clusterings ``?a=`` and ``?b=``, and where the images of the cluster ``?of=`` are in each."""
    a, b = (request.args.get(name, None, int) for name in ("a", "b"))
    found = beside(auth.settings(), auth.viewer(), a, b, request.args.get("of", "")[:40])
    return render_template("explore_beside.html", found=found)
