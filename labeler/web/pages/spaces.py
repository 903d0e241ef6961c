"""The spaces of the pool: what each sees, and the jobs that compute more of them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.explore import search
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.spaces import learned, space_moves, spaces, towers
from attune.labeler.views.explore_jobs import progress
from attune.labeler.views.explore_spaces import KIND, spaces_page
from attune.labeler.web import auth
from attune.models.errors import DataError

blueprint = Blueprint("spaces", __name__, url_prefix="/explore/spaces")


@blueprint.get("")
def page() -> ResponseReturnValue:
    """Every space, with an image and what is near it there."""
    return render_template("explore_spaces.html", found=spaces_page(auth.settings(), auth.viewer()))


@blueprint.post("")
def compute() -> ResponseReturnValue:
    """Ask for the colours and, of an encoder that shows them, for some layers; images that have them are left alone."""
    settings = auth.settings()
    found = spaces_page(settings, auth.viewer())
    with reading(settings) as session:
        waits = progress(session, (KIND,)).waits
    if not waits:
        jobs.enqueue(settings, KIND, names=[spaces.COLOUR])
        if found.layers:
            jobs.enqueue(settings, KIND, names=[])
    return redirect(url_for("spaces.page"))


@blueprint.post("/taste")
def learn() -> ResponseReturnValue:
    """Learn the taste space from a column of the asset table, unless a job is at it."""
    settings, column = auth.settings(), request.form.get("column", "")[:255]
    with reading(settings) as session:
        there = search.columns_of(session)
        waits = progress(session, (learned.KIND,)).waits
    if column not in there:
        raise DataError(f"The images have no column {column[:60]!r}. Choose one of: {', '.join(there) or 'none yet'}.")
    if not waits:
        jobs.enqueue(settings, learned.KIND, column=column, space=learned.TASTE, who=auth.viewer().name)
    return redirect(url_for("spaces.page", _anchor="h-taste"))


@blueprint.post("/taste/use")
def use() -> ResponseReturnValue:
    """Compare by a version of the taste space from now on."""
    settings, form = auth.settings(), request.form
    version, reason = form.get("version", "")[:20], form.get("reason", "")[:400]
    with reading(settings) as session:
        row = space_moves.chosen(session, learned.TASTE, version)
        waits = towers.waiting(settings, session, row)
        busy = progress(session, (towers.KIND,)).waits
    if waits and not busy:  # of a network of its own: no page waits for that
        jobs.enqueue(settings, towers.KIND, space=learned.TASTE, version=row.version)
    if waits and not towers.seen(settings, row):
        flash(
            f"A worker looks at all images with the network of version {row.version} first. Then press again.", "info"
        )
        return redirect(url_for("spaces.page", _anchor="h-taste"))
    line = space_moves.promote(settings, learned.TASTE, version, reason, auth.viewer().name)
    space_moves.mirror(settings, learned.TASTE)
    flash(f"Same taste uses version {line.version} from now on.", "success")
    return redirect(url_for("spaces.page", _anchor="h-taste"))
