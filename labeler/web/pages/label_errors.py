"""Suspected label errors of an attribute, with what may be done about each: confirm, correct, ask another expert."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, Forbidden

from attune.labeler.answers import label_errors
from attune.labeler.labelling import availability, corrections, own_queue
from attune.labeler.queues import pinned
from attune.labeler.records.schema import Annotation, Asset
from attune.labeler.records.session import reading
from attune.labeler.views.label_errors import errors_page, free
from attune.labeler.web import auth
from attune.labeler.web.pages.correct import tell
from attune.models.errors import DataError, LabelStudioError, RecordsError
from attune.models.labels.answers import SECOND_OPINION

blueprint = Blueprint("label_errors", __name__, url_prefix="/attributes/<name>/errors")
GONE = "This answer is not on the list any more: it was changed, confirmed, or is not yours to see."


@blueprint.get("")
def page(name: str) -> ResponseReturnValue:
    """The answers that may be wrong, the least likely right first."""
    found = errors_page(auth.settings(), auth.viewer(), name, request.args.get("page", 1, int))
    direct = auth.viewer().expert_id is not None and availability.is_available(auth.settings())
    return render_template(
        "label_errors.html",
        page=found,
        direct=direct,
        once=lambda: str(uuid4()),
        confirmed=request.args.get("confirmed", 0, int),
        # Whoever goes through the list by keyboard goes on where the last answer stood.
        focused=min(request.args.get("at", -1, int), len(found.found.items) - 1),
    )


@blueprint.post("/<int:annotation>/confirm")
def confirm(name: str, annotation: int) -> ResponseReturnValue:
    """Keep the answer; ``undo`` puts it back on the list."""
    if request.form.get("undo"):
        done = label_errors.unconfirm(auth.settings(), auth.viewer(), name, annotation)
        flash("The answer is on the list again." if done else "There is no confirmation of yours to undo.", "success")
    elif not label_errors.confirm(auth.settings(), auth.viewer(), name, annotation):
        flash(GONE, "warning")
    else:
        return _back(name, confirmed=annotation)
    return _back(name)


@blueprint.post("/<int:annotation>/correct")
def correct(name: str, annotation: int) -> ResponseReturnValue:
    """Change one's own answer, in Label Studio and the records. Nobody answers as somebody else."""
    settings, viewer = auth.settings(), auth.viewer()
    value = request.form.get("value", "")
    with reading(settings) as session:
        row = label_errors.find(session, settings, viewer, name, annotation)
        kept = session.get(Annotation, annotation) if row is not None else None
    own_queue.check(settings, viewer, name)
    if kept is not None and kept.expert_id != viewer.expert_id:
        raise Forbidden("Only the expert who gave an answer can change it. Ask another expert instead.")
    if kept is None:
        flash(GONE, "warning")
        return _back(name)
    try:
        once = str(UUID(request.form.get("once", "")))
    except ValueError:
        raise BadRequest("The form is not complete. Load the page again.") from None
    try:
        revision = request.form.get("revision", 0, int)
        tell(corrections.change(settings, viewer, name, annotation, revision, value, once), value)
    except (DataError, LabelStudioError) as error:
        flash(str(error), "danger")
    return _back(name)


@blueprint.post("/<int:annotation>/ask")
def ask(name: str, annotation: int) -> ResponseReturnValue:
    """Put the image into the queue of another expert, as a second opinion."""
    settings, viewer = auth.settings(), auth.viewer()
    with reading(settings) as session:
        row = label_errors.find(session, settings, viewer, name, annotation)
        kept = session.get(Annotation, annotation) if row is not None else None
        asset = session.get_one(Asset, kept.asset_pk).asset_id if kept is not None else None
        offered = free(session, viewer, kept.attribute_id, kept.asset_pk) if kept is not None else []
    if asset is None:
        flash(GONE, "warning")
        return _back(name)
    expert = request.form.get("expert", "")
    if expert not in offered:
        flash(
            f"{expert[:80] or 'An empty address'} cannot be asked: this person already had this image, has no "
            "queue for this question, or is you. Choose a person whom this page offers.",
            "warning",
        )
        return _back(name)
    try:
        done = pinned.send(settings, name, [asset], viewer.name, expert, purpose=SECOND_OPINION)
    except (RecordsError, DataError) as error:
        flash(str(error), "danger")
        return _back(name)
    if done.queued:
        flash(f"{done.experts[0]} gets this image next, without the answers of others.", "success")
    else:
        flash(f"{done.experts[0]} already had this image. Ask another expert.", "warning")
    return _back(name)


def _back(name: str, confirmed: int | None = None) -> ResponseReturnValue:
    number = request.form.get("page", 1, int)
    shown, at = number if number > 1 else None, request.form.get("at", None, int)
    return redirect(url_for("label_errors.page", name=name, page=shown, confirmed=confirmed, at=at))
