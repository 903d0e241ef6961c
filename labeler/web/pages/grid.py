"""Start with a page of images: the way from an attribute's page into an expert's pages in Label Studio."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.jobs import jobs
from attune.labeler.views.grid import next_page, progress
from attune.labeler.web import auth

blueprint = Blueprint("grid", __name__, url_prefix="/attributes/<name>/pages")


@blueprint.post("")
def start(name: str) -> ResponseReturnValue:
    """On to the page that waits, or ask the workers for the next ones."""
    settings, viewer = auth.settings(), auth.viewer()
    waiting = next_page(settings, viewer, name)
    # Not on to Label Studio from here: the policy of our pages lets no form lead to another host.
    job = None if waiting.link else jobs.enqueue(settings, "grid", attribute=name, expert=waiting.expert)
    return redirect(url_for("grid.wait", name=name, job=job))


@blueprint.get("")
def wait(name: str) -> ResponseReturnValue:
    """A line of progress until the pages are there, then on to Label Studio."""
    found = progress(auth.settings(), auth.viewer(), name, request.args.get("job", ""))
    return render_template("grid.html", name=name, found=found)
