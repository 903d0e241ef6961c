"""An attribute's labels out and in: downloads, and an upload that shows what it would do before it does it."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.answers.totals import count, on_removed
from attune.labeler.attributes import attributes
from attune.labeler.exchange import export_files, import_labels, uploads
from attune.labeler.exchange.import_files import Columns
from attune.labeler.exchange.import_plan import SAME, Plan, in_words
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.labeler.web.sizes import FORM_BYTES, LABELS_BYTES
from attune.models.errors import DataError
from attune.models.text import plural

blueprint = Blueprint("exchange", __name__, url_prefix="/attributes/<name>/labels")
MOST_LINES = 100_000  # some seconds, in which the console answers others slowly
AT_ONCE = 2_000  # lines that come in while the browser waits; more are a worker's, as are Parquet and Arrow
AT_ONCE_BYTES = 400_000  # also of JSON in one line
SHOWN = 50  # rows left out that the page names one by one


@blueprint.url_value_preprocessor
def room_for_a_file(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let an upload be larger than other forms; asked before the guard reads the form for its token."""
    if endpoint == "exchange.preview":
        request.max_content_length = LABELS_BYTES + FORM_BYTES


@blueprint.get("")
def page(name: str) -> ResponseReturnValue:
    """The files to take away, and the form to bring one."""
    return _page(name)


def _page(name: str, error: str = "", status: int = 200) -> ResponseReturnValue:
    with reading(auth.settings()) as session:
        one = attributes.find(session, name)
        counts, removed = count(session, {one.id: one.classes})[one.id], on_removed(session, one.id)
    facts = {"question": one.question, "counts": counts, "removed": removed}
    return render_template("labels.html", name=name, error=error, **facts), status


@blueprint.get("/file")
def download(name: str) -> ResponseReturnValue:
    """The labels as a file: ``format`` csv, parquet, json or label-studio; ``agreed`` for one row an image."""
    agreed = request.args.get("agreed", "") in {"1", "true", "yes"}
    return sent(export_files.export(auth.settings(), name, request.args.get("format", export_files.CSV), agreed))


def sent(exported: export_files.File) -> Response:
    """An export as a download that no cache keeps: its rows name people."""
    response = Response(exported.content, content_type=exported.kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{exported.name}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Attune-Rows"] = str(exported.rows)
    return response


@blueprint.post("/preview")
def preview(name: str) -> ResponseReturnValue:
    """What importing the uploaded file would do; nothing is written to the records."""
    upload = request.files.get("file")
    content = upload.read() if upload else b""
    if upload:
        upload.close()
    if upload is None or not upload.filename:
        return _page(name, "Choose a file first.", 422)
    if (lines := max(content.count(b"\n"), content.count(b"\r"))) > MOST_LINES:
        message = (
            f"The file has {lines:,} lines, but this page accepts at most {MOST_LINES:,}. Split it, or run the command:"
        )
        return _page(name, f"{message} attune labels import {name} FILE", 422)
    try:
        plan = import_labels.preview(auth.settings(), name, content, _columns(), _create())
    except DataError as error:
        return _page(name, str(error), 422)
    ticket = uploads.keep(auth.settings(), auth.viewer().user_id or 0, content)
    with reading(auth.settings()) as session:
        attribute = attributes.find(session, name)
    rows = plan.left_out[:SHOWN]
    first = [step for step in plan.steps if step.action != SAME][:8]
    return render_template(
        "labels_preview.html", name=name, question=attribute.question, classes=attribute.classes, plan=plan, shown=rows,
        file=upload.filename[:100], ticket=ticket, given=request.form, goes_in=_goes_in(plan), same=SAME,
        first=first, in_words=in_words,
    )  # fmt: skip


@blueprint.post("/import")
def confirm(name: str) -> ResponseReturnValue:
    """Import the file that was previewed. What changed in the meantime is seen: the same rules are applied again."""
    person, ticket = auth.viewer().user_id or 0, request.form.get("ticket", "")
    try:
        content = uploads.fetch(auth.settings(), person, ticket)
        long = content.count(b"\n") > AT_ONCE or len(content) > AT_ONCE_BYTES or b"\0" in content
        # A token has no login that a worker could look at again, and may be revoked while a job waits.
        if long and person and jobs.workers_alive(auth.settings(), "import"):
            arguments = {"ticket": ticket, "person": person, "columns": list(astuple(_columns()))}
            arguments["who"] = auth.viewer().name
            jobs.enqueue(auth.settings(), "import", attribute=name, create_experts=_create(), **arguments)
            flash("The import is running. This page shows when it is done.", "success")
            return redirect(url_for("jobs.page"))
        plan = import_labels.import_labels(auth.settings(), name, content, _columns(), _create(), auth.viewer().name)
    except DataError as error:
        return _page(name, str(error), 422)
    uploads.drop(auth.settings(), person, ticket)
    skipped_text = f" {plural(len(plan.left_out), 'row')} skipped." if plan.left_out else ""
    reserved_text = (
        f" No probe is trained on {plan.reserved} of them: their titles are reserved." if plan.reserved else ""
    )
    flash(
        f"{plural(_goes_in(plan), 'answer')} imported. Attune now retrains the probe.{reserved_text}{skipped_text}",
        "success",
    )
    return redirect(url_for("attribute.page", name=name))


def _goes_in(plan: Plan) -> int:
    return sum(step.action != SAME for step in plan.steps)


def _columns() -> Columns:
    def given(field: str) -> str | None:
        return request.form.get(field, "").strip()[:100] or None

    fields = ("asset_column", "expert_column", "class_column", "answered_at_column", "default_expert")
    return Columns(*(given(field) for field in fields))


def _create() -> bool:
    return request.form.get("create_experts") == "yes"
