"""What is and was served: the history of the aliases, what was champion on a date, and each version with its card."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from attune.labeler.views import history as past
from attune.labeler.views import versions
from attune.labeler.web import auth
from attune.models.errors import DataError

blueprint = Blueprint("versions", __name__, url_prefix="/attributes/<name>")


@blueprint.get("/history")
def history(name: str) -> ResponseReturnValue:
    """Who moved which alias when and why; with ``?on=`` what the aliases pointed at then."""
    on, error = request.args.get("on", "").strip()[:40], ""
    try:
        then = past.then(auth.settings(), name, on) if on else None
    except DataError as told:
        then, error = None, str(told)
    history_page = past.page(auth.settings(), name, request.args.get("page", 1, int))
    page = render_template("history.html", page=history_page, on=on, then=then, error=error)
    return (page, 422) if error else page


@blueprint.get("/versions/<int:version>")
def page(name: str, version: int) -> ResponseReturnValue:
    """One version: its card, its files, how to pull it, and the moves that it was part of."""
    return render_template("version.html", page=versions.version_page(auth.settings(), name, version))
