"""Performance in by browser: the imports, the columns of a file that was sent, and what became of it.

For owners and admins who are logged in, as images (`web.pages.uploads`): a worker looks at the login again.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from attune.labeler.assets import uploads
from attune.labeler.performance import imports, uploaded
from attune.labeler.performance.columns import ARMS, FIELDS
from attune.labeler.performance.uploaded import Choice
from attune.labeler.views.performance import faults_of, file_page, listed, mixes
from attune.labeler.web import auth
from attune.labeler.web.sizes import PIECE_BYTES
from attune.models.errors import DataError, ServiceDown

blueprint = Blueprint("performance", __name__, url_prefix="/insights/performance")
LONGEST = 300  # characters of a column's name


@blueprint.get("")
def page() -> ResponseReturnValue:
    """What was imported, and where the next file goes."""
    there, removed = listed(auth.settings())
    bring = {
        "images": [], "tables": list(uploaded.SUFFIXES), "piece": PIECE_BYTES, "mostFiles": 1,
        "mostBytes": uploads.MOST_BYTES, "imageBytes": 0, "noun": "performance file", "button": "Send the file",
        "none": "This is no CSV or Parquet file. Choose another one.",
        "many": "Send one file after the other: choose one.", "finish": {"for": uploaded.KIND},
    }  # fmt: skip
    return render_template(
        "performance.html", there=there, removed=removed, faults_of=faults_of, bring=bring,
        mixed=mixes(there),
    )  # fmt: skip


@blueprint.get("/uploads/<ticket>")
def file(ticket: str) -> ResponseReturnValue:
    """The columns of a file, or what became of it."""
    return _file(ticket)


@blueprint.post("/uploads/<ticket>")
def add(ticket: str) -> ResponseReturnValue:
    """Have the file imported as the form says."""
    form, viewer = request.form, auth.viewer()
    if form.get("delete"):
        return _delete(ticket)
    chosen = {name: form.get(name, "")[:LONGEST] for name in FIELDS if form.get(name)}
    choice = Choice(chosen, form.get("shown", "") if form.get("shown") in ARMS else "", form.get("one_chance") == "yes")
    try:
        uploaded.check(uploaded.part_of(auth.settings(), _person(), ticket).name, choice)
    except DataError as error:
        return _file(ticket, chosen, str(error), 422)
    try:
        uploaded.begin(auth.settings(), _person(), ticket, choice, viewer.name)
    except ServiceDown as error:
        flash(str(error), "danger")
    return redirect(url_for("performance.file", ticket=ticket))


def _delete(ticket: str) -> ResponseReturnValue:
    """Throw the file away instead: nothing of it is kept."""
    try:
        uploaded.delete(auth.settings(), _person(), ticket)
    except DataError as error:
        flash(str(error), "danger")
        return redirect(url_for("performance.file", ticket=ticket))
    flash("The file is deleted. Nothing of it was kept.", "success")
    return redirect(url_for("performance.page"))


@blueprint.post("/<int:number>/remove")
def remove(number: int) -> ResponseReturnValue:
    """Delete the rows of an import, with a reason."""
    try:
        row = imports.remove(auth.settings(), number, request.form.get("reason", "")[:500], auth.viewer().name)
        flash(
            f"Import {row.id} is removed. Insights that rest on it are stale until they are answered again.", "success"
        )
    except DataError as error:
        flash(str(error), "danger")
    return redirect(url_for("performance.page"))


def _file(
    ticket: str, given: dict[str, str] | None = None, error: str = "", status: int = 200
) -> ResponseReturnValue:  # fmt: skip
    found = file_page(auth.settings(), _person(), ticket, given)
    return render_template("performance_file.html", found=found, form=request.form, error=error or found.error), status


def _person() -> int:
    """The login that asks."""
    return auth.viewer().user_id or 0


@blueprint.before_request
def only_with_a_login() -> None:
    """Turn tokens away from files: nothing that a token asks for waits as a job."""
    if request.endpoint in ("performance.file", "performance.add") and auth.viewer().user_id is None:
        raise Forbidden(
            "You sent a token. What is uploaded waits for a worker, and a token may be revoked in the meantime. Log in "
            "to upload a file, or run the command: attune performance add FILE"
        )
