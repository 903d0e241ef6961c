"""One's own answer, large and alone, to be corrected by one key; then back to the list that it was opened from."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.exceptions import BadRequest, NotFound

from attune.labeler.labelling import availability, corrections
from attune.labeler.labelling.take_answers import REVISED, STORED
from attune.labeler.queues import reopen
from attune.labeler.records.session import reading
from attune.labeler.views.labelling import labelling_page
from attune.labeler.web import auth
from attune.labeler.web.pages.label import shown
from attune.models.errors import DataError, LabelStudioError

blueprint = Blueprint("correct", __name__, url_prefix="/attributes/<name>/answers/<int:annotation>")
# Said on the list that the answer was opened from, which is in English.
NOT_TAKEN = "Label Studio did not take the answer. Nothing was changed. Try again in a minute."


@blueprint.get("")
def page(name: str, annotation: int) -> ResponseReturnValue:
    """The image with the keys of its classes; for owners also the way to the annotation in Label Studio."""
    settings, viewer = auth.settings(), auth.viewer()
    if not availability.is_available(settings) or (viewer.manages and request.args.get("in") == "label-studio"):
        address = reopen.open_again(settings, viewer, name, annotation)
        if address is None:
            raise NotFound(_not_yours())
        return redirect(address)
    with reading(settings) as session:
        found = corrections.find(session, viewer, name, annotation)
    if found is None:
        raise NotFound(_not_yours())
    return render_template(
        "correct.html", page=labelling_page(settings, viewer, name), one=found, annotation=annotation,
        image=shown(found.question), once=str(uuid4()), back=_back(name),
    )  # fmt: skip


@blueprint.post("")
def change(name: str, annotation: int) -> ResponseReturnValue:
    """Change the answer, in Label Studio and the records; then back to the list, unless the question has changed."""
    try:
        once = str(UUID(request.form.get("once", "")))
        revision = int(request.form["revision"])
    except (KeyError, ValueError):
        raise BadRequest(gettext("The form is not complete. Load the page again.")) from None
    value = request.form.get("value", "")
    again = url_for("correct.page", name=name, annotation=annotation, back=_back(name))
    try:
        outcome = corrections.change(auth.settings(), auth.viewer(), name, annotation, revision, value, once)
    except (DataError, LabelStudioError) as error:
        flash(str(error), "danger")
        return redirect(again)
    tell(outcome, value)
    return redirect(again if outcome == REVISED else _back(name))


def tell(outcome: str, value: str) -> None:
    """Say on the next page what became of a correction."""
    if outcome == STORED:
        said = f"Your answer is now “{value}”." if value else "Your answer was taken back."
        flash(f"{said} The next run uses it.", "success")
    elif outcome == REVISED:
        changed = gettext(
            "The question was changed after you opened this page. Read it again, then correct the answer."
        )
        flash(changed, "warning")
    else:
        flash(NOT_TAKEN, "danger")


def _not_yours() -> str:
    return str(
        gettext(
            "This answer is not yours, was deleted, or answers a question that has changed. Open your list of answers."
        )
    )


def _back(name: str) -> str:
    """The page of this console that the answer was opened from, else the question's."""
    asked = request.values.get("back", "")
    return auth.safe_next(asked) if asked else url_for("attribute.page", name=name)
