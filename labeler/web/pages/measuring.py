"""Measure it, and draw the line: an audit batch on demand, and the precision or recall that is to be kept."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.attributes import audit_batches, threshold_goals
from attune.labeler.jobs import jobs
from attune.labeler.web import auth
from attune.models.errors import DataError, PoolExhausted, ServiceDown, UnknownExpert
from attune.models.probes.thresholds import Goal

blueprint = Blueprint("measuring", __name__, url_prefix="/attributes/<name>")


@blueprint.post("/audit")
def ask(name: str) -> ResponseReturnValue:
    """Ask for ``size`` audit questions and for the round that draws them, then back to the page."""
    try:
        size = int(request.form.get("size", ""))
    except ValueError:
        size = 0
    try:
        audit_batches.request(auth.settings(), name, size)
        jobs.enqueue(auth.settings(), "learn", attribute=name)
        flash(
            f"{size} audit questions go into the experts' queues, first in line. Nobody sees what they are for.",
            "success",
        )
    except ServiceDown:
        flash(f"{size} audit questions are noted; they go into the queues as soon as the workers are back.", "warning")
    except (DataError, PoolExhausted, UnknownExpert) as error:
        flash(str(error), "danger")
    return redirect(url_for("attribute.page", name=name) + "#h-measure")


@blueprint.post("/threshold")
def line(name: str) -> ResponseReturnValue:
    """Keep the precision or recall that is asked for (or go back to one half), then back to the page."""
    figure, text = request.form.get("figure", ""), request.form.get("value", "")
    clear = "clear" in request.form
    try:
        goal = None if clear else Goal(figure, float(text))
        threshold_goals.ask(auth.settings(), name, goal)
        jobs.enqueue(auth.settings(), "learn", attribute=name)
        told = f"{figure} {goal.value:g} is asked for" if goal else "The line goes back to one half"
        flash(f"{told[0].upper()}{told[1:]}; the next round draws it. Published versions keep theirs.", "success")
    except ServiceDown:
        flash("Noted; the line is drawn as soon as the workers are back.", "warning")
    except DataError as error:
        flash(str(error), "danger")
    except ValueError:
        flash(f"{text[:20]!r} is no number; expected one between 0 and 1, such as 0.9.", "danger")
    return redirect(url_for("attribute.page", name=name) + "#h-line")
