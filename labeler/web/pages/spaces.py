"""The spaces of the pool: what each sees, and the job that computes more of them."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.spaces import spaces
from attune.labeler.views.explore_jobs import progress
from attune.labeler.views.explore_spaces import KIND, spaces_page
from attune.labeler.web import auth

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
