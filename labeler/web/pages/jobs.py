"""What the workers do."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from attune.labeler.views.jobs import jobs_page
from attune.labeler.web import auth

blueprint = Blueprint("jobs", __name__)


@blueprint.get("/jobs")
def page() -> ResponseReturnValue:
    """Queued, running, failed and done, newest first."""
    state = request.args.get("state", "")
    return render_template("jobs.html", found=jobs_page(auth.settings(), state, request.args.get("page", 1, int)))
