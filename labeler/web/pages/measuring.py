"""Measure it: an audit batch on demand, asked for from an attribute's page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from labeler import audits, jobs
from labeler.web import auth
from models.errors import DataError, PoolExhausted, ServiceDown, UnknownExpert

blueprint = Blueprint("measuring", __name__, url_prefix="/attributes/<name>/audit")


@blueprint.post("")
def ask(name: str) -> ResponseReturnValue:
    """Ask for ``size`` audit questions and for the round that draws them, then back to the page."""
    try:
        size = int(request.form.get("size", ""))
    except ValueError:
        size = 0
    try:
        audits.request(auth.settings(), name, size)
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
