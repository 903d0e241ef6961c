"""Scoping: one group of similar images at a time, does this count? And the revision that is made of the decisions."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.exceptions import BadRequest

from attune.labeler.labelling.take_answers import REVISED, STORED
from attune.labeler.scope import decisions, definition, undo_decisions
from attune.labeler.scope.decisions import LONGEST_NOTE, Decision
from attune.labeler.views.scope import scope_page
from attune.labeler.web import auth
from attune.models.errors import AlreadyThere, DataError, LabelStudioError, ServiceDown

blueprint = Blueprint("scope", __name__, url_prefix="/attributes/<name>/scope")


@blueprint.get("")
def page(name: str) -> ResponseReturnValue:
    """The next group with its four answers, and what was decided so far; after ten groups the way on."""
    found = scope_page(auth.settings(), auth.viewer(), name)
    ended = found.round_done and not request.args.get("more")
    return render_template("scope.html", page=found, ended=ended, once=str(uuid4()), longest_note=LONGEST_NOTE)


@blueprint.post("")
def decide(name: str) -> ResponseReturnValue:
    """Store a decision, with its answers where the person labels; then the next group."""
    try:
        revision, once = int(request.form["revision"]), UUID(request.form["once"])
    except (KeyError, ValueError):
        raise BadRequest(gettext("The form is not complete. Load the page again.")) from None
    shown, ticked = request.form.getlist("shown"), request.form.getlist("ticked")
    given = Decision(once, request.form.get("said", ""), shown, ticked, request.form.get("note", ""))
    try:
        taken = decisions.take(auth.settings(), auth.viewer(), name, revision, given)
    except AlreadyThere:
        flash(gettext("This group was decided in the meantime, or it has changed. Nothing was stored."), "warning")
        return redirect(url_for("scope.page", name=name, more=1))
    except (DataError, LabelStudioError, ServiceDown) as error:
        flash(str(error), "danger")
        return redirect(url_for("scope.page", name=name, more=1))
    if taken.state == REVISED:
        said = gettext("The question was changed after you opened this page. Read it again, then decide.")
        flash(said, "warning")
    elif taken.state != STORED:
        said = gettext("Your decision is stored, but Label Studio did not take all its answers. Send them again below.")
        flash(said, "danger")
    return redirect(url_for("scope.page", name=name))


@blueprint.post("/<int:decision>/undo")
def undo(name: str, decision: int) -> ResponseReturnValue:
    """Take back an own decision and its answers."""
    try:
        done = undo_decisions.undo(auth.settings(), auth.viewer(), name, decision)
    except (LabelStudioError, ServiceDown) as error:
        flash(str(error), "danger")
        return redirect(url_for("scope.page", name=name))
    kept = gettext(
        "Nothing was taken back: the definition has the decision already, or its answers could not be removed."
    )
    flash(gettext("The decision is taken back.") if done else kept, "success" if done else "warning")
    return redirect(url_for("scope.page", name=name, more=1))


@blueprint.post("/write")
def write(name: str) -> ResponseReturnValue:
    """Make a revision of the decisions that are ticked; then the page of the question, which shows its examples."""
    try:
        chosen = request.form.getlist("decision", int)
        revision = definition.write(auth.settings(), name, request.form.get("revision", 0, int), chosen)
    except (DataError, AlreadyThere) as error:
        flash(str(error), "warning")
        return redirect(url_for("scope.page", name=name))
    flash(f"Revision {revision} has your examples. All answers stay valid.", "success")
    return redirect(url_for("attribute.page", name=name))
