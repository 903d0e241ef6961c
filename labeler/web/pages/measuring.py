"""Request an audit, start a run, and set the threshold goal: what precision or recall the threshold must reach."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.attributes import attributes, audit_batches, threshold_goals
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.models.errors import DataError, PoolExhausted, RecordsError, ServiceDown
from attune.models.probes.thresholds import Goal

blueprint = Blueprint("measuring", __name__, url_prefix="/attributes/<name>")


@blueprint.post("/audit")
def ask(name: str) -> ResponseReturnValue:
    """Request ``size`` audit answers and the run that draws them, then return to the page."""
    try:
        size = int(request.form.get("size", ""))
    except ValueError:
        size = 0
    try:
        done = audit_batches.requested(size, audit_batches.request(auth.settings(), name, size).size)
        jobs.enqueue(auth.settings(), "learn", attribute=name)
        flash(f"{done} They come mixed with the next tasks of the queues. Experts cannot recognise them.", "success")
    except ServiceDown:
        flash(f"{done} The tasks are queued when a worker runs: `attune up`", "warning")
    except (DataError, PoolExhausted, RecordsError) as error:
        flash(str(error), "danger")
    return redirect(url_for("attribute.manage", name=name, _anchor="h-measure"))


@blueprint.post("/learn")
def learn(name: str) -> ResponseReturnValue:
    """Start a run, which trains the probe and fills the queues, then return to the question."""
    with reading(auth.settings()) as session:
        attributes.find(session, name)
    try:
        jobs.enqueue(auth.settings(), "learn", attribute=name)
        flash("A run is started: it trains the probe, chooses the next images and fills the queues.", "success")
    except ServiceDown:
        flash("The run starts when a worker runs: `attune up`", "warning")
    return redirect(url_for("attribute.page", name=name))


@blueprint.post("/threshold")
def line(name: str) -> ResponseReturnValue:
    """Set the threshold goal, or remove it (threshold 0.5), then return to the page."""
    figure, text = request.form.get("figure", ""), request.form.get("value", "")
    clear = "clear" in request.form
    try:
        goal = None if clear else Goal(figure, float(text))
        threshold_goals.set_goal(auth.settings(), name, goal)
        jobs.enqueue(auth.settings(), "learn", attribute=name)
        text = f"The goal is now {figure} at least {goal.value:g}." if goal else "The threshold is 0.5 again."
        flash(f"{text} It applies from the next run. Published versions keep their threshold.", "success")
    except ServiceDown:
        flash("The goal is saved. The threshold is calculated when a worker runs: `attune up`", "warning")
    except DataError as error:
        flash(str(error), "danger")
    except ValueError:
        flash(f"{text[:20]!r} is not a number. Enter a number between 0 and 1, such as 0.9.", "danger")
    return redirect(url_for("attribute.manage", name=name, _anchor="h-line"))
