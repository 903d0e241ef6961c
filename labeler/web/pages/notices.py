"""The bell and what it rang for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.jobs import jobs
from attune.labeler.notices import mail_choice, notices
from attune.labeler.views import notice_groups
from attune.labeler.views import notices as seen
from attune.labeler.web import auth
from attune.models.errors import DataError, ServiceDown

blueprint = Blueprint("notices", __name__, url_prefix="/notices")


@blueprint.app_context_processor
def bell() -> dict[str, Callable[[], int]]:
    """What every page's head asks: how many notices are unread; asked only where the head is drawn."""
    return {"unread_notices": lambda: seen.unread(auth.settings(), g.viewer) if g.get("viewer") else 0}


@blueprint.get("")
def page() -> ResponseReturnValue:
    """What happened, by question and kind, newest first; and what comes by mail."""
    settings, viewer = auth.settings(), auth.viewer()
    found = notice_groups.groups(settings, viewer, request.args.get("page", 1, int))
    kinds, wanted = mail_choice.kinds(viewer), mail_choice.wanted(settings, viewer)
    return render_template("notices.html", found=found, kinds=kinds, wanted=wanted, notify_to=settings.notify_to)


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


@blueprint.post("/<int:notice>/send")
def send_again(notice: int) -> Any:
    """Send a notice that was given up once more."""
    if notices.send_again(auth.settings(), auth.viewer(), notice):
        with suppress(ServiceDown):  # the next beat of the scheduler asks for it
            jobs.enqueue(auth.settings(), "notify")
        flash("The notice is sent again within a minute. If it fails again, this page says why.", "success")
    else:
        flash("Nothing to send: this notice went out, or is about to.", "success")
    return redirect(url_for("notices.page", page=request.form.get("page", 1, int)))


@blueprint.post("/mail")
def mail() -> ResponseReturnValue:
    """Choose which kinds come by mail."""
    try:
        mail_choice.choose(auth.settings(), auth.viewer(), request.form.getlist("kinds"))
    except DataError as error:
        flash(str(error), "danger")
    else:
        flash("Your choice is saved.", "success")
    return redirect(url_for("notices.page", _anchor="h-mail"))
