"""The bell and what it rang for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.notices import notices
from attune.labeler.views import notices as seen
from attune.labeler.web import auth

blueprint = Blueprint("notices", __name__, url_prefix="/notices")


@blueprint.app_context_processor
def bell() -> dict[str, Callable[[], int]]:
    """What every page's head asks: how many notices are unread; asked only where the head is drawn."""
    return {"unread_notices": lambda: seen.unread(auth.settings(), g.viewer) if g.get("viewer") else 0}


@blueprint.get("")
def page() -> ResponseReturnValue:
    """What happened, newest first."""
    found = seen.notices(auth.settings(), auth.viewer(), request.args.get("page", 1, int))
    return render_template("notices.html", found=found)


@blueprint.post("/read")
def read_all() -> ResponseReturnValue:
    """Mark every notice as read."""
    notices.mark(auth.settings(), auth.viewer())
    return redirect(url_for("notices.page"))


@blueprint.post("/<int:notice>/read")
def read(notice: int) -> Any:
    """Mark one notice as read, and back to the page of the list it stood on."""
    notices.mark(auth.settings(), auth.viewer(), notice)
    return redirect(url_for("notices.page", page=request.form.get("page", 1, int)))
