"""What goes with takes across titles: the page, and the wish to learn it again."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.insights.amounts import unbroken_page
from attune.labeler.jobs import jobs
from attune.labeler.views.explore_jobs import waiting
from attune.labeler.views.goes_with import KIND, goes_with_page
from attune.labeler.web import auth

blueprint = Blueprint("goes_with", __name__, url_prefix="/insights/goes-with")


@blueprint.get("")
def page() -> ResponseReturnValue:
    """What was learned last."""
    return unbroken_page(render_template("goes_with.html", found=goes_with_page(auth.settings(), auth.viewer())))


@blueprint.post("")
def learn() -> ResponseReturnValue:
    """Ask for it, unless it is at work."""
    settings, viewer = auth.settings(), auth.viewer()
    if not waiting(settings, KIND):
        jobs.enqueue(settings, KIND, who=viewer.name, asked_by=viewer.user_id)
    return redirect(url_for("goes_with.page"))
