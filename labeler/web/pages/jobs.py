"""What the workers do, and another try for what failed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.jobs import retry
from attune.labeler.views.jobs import jobs_page
from attune.labeler.web import auth
from attune.models.errors import AlreadyThere, DataError, RecordsError, ServiceDown

blueprint = Blueprint("jobs", __name__)


@blueprint.get("/jobs")
def page() -> ResponseReturnValue:
    """Queued, running, failed and done, in groups."""
    state = request.args.get("state", "")
    return render_template("jobs.html", found=jobs_page(auth.settings(), state, request.args.get("page", 1, int)))


@blueprint.post("/jobs/again")
def again() -> ResponseReturnValue:
    """Put a job that failed into its queue again."""
    try:
        retry.again(auth.settings(), request.form.get("job", ""))
    except (AlreadyThere, DataError, RecordsError, ServiceDown) as error:
        flash(str(error), "danger")
    else:
        flash("The job waits for a worker again. This page shows how it goes.", "success")
    return redirect(url_for("jobs.page"))
