"""Candidate beside champion, and the bounds that a promotion has to keep."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.attributes import attributes
from attune.labeler.catalog import gate_bounds
from attune.labeler.catalog.gates import RULES
from attune.labeler.catalog.run_facts import LATEST
from attune.labeler.records.session import reading
from attune.labeler.views.review import review
from attune.labeler.web import auth, review_waits
from attune.labeler.web.svg import audit_plots
from attune.labeler.web.svg.learning_curve import learning_curve
from attune.models.errors import DataError, NotMeasured

blueprint = Blueprint("review", __name__, url_prefix="/attributes/<name>")


@blueprint.get("/review")
def page(name: str) -> ResponseReturnValue:
    """All that is known of a run, beside the champion on the same audit answers."""
    arguments = {key: request.args.get(key, "")[:200] for key in ("candidate", "column", "class")}
    asked = arguments["candidate"] or LATEST, arguments["column"], arguments["class"]
    try:
        result = review(auth.settings(), auth.viewer(), name, *asked)
    except NotMeasured:
        return review_waits.page(name, *asked)
    newest = 0 if arguments["candidate"] else result.newest
    shown = (result.candidate.number, result.made, *asked[1:])
    return render_template(
        "review.html",
        page=result,
        note=review_waits.ask_anew(name, *shown, newest=newest),
        asked=arguments,
        balance=audit_plots.balance(result.difference),
        precision_recall=audit_plots.precision_recall(result.plots.precision_recall, result.plots.champion),
        reliability=audit_plots.reliability(result.plots.reliability),
        chart=learning_curve(result.curve),
        rules=RULES,
    )


@blueprint.get("/gates")
def gates(name: str) -> ResponseReturnValue:
    """The bounds, and which of them bind."""
    return _gates(name, {}, {})


@blueprint.post("/gates")
def set_gates(name: str) -> ResponseReturnValue:
    """Set them: all of the form, or nothing where one cannot be used."""
    values = {gate: request.form.get(f"bound-{gate}", "").strip()[:40] for gate in RULES}
    binding = {gate: request.form.get(f"enforced-{gate}") == "1" for gate in RULES}
    errors = {}
    for gate, text in values.items():
        try:
            gate_bounds.check(gate, text)
        except DataError as error:
            errors[gate] = str(error)
    if errors:
        return _gates(name, values, errors), 422
    gate_bounds.change(auth.settings(), name, auth.viewer().name, values, binding)
    flash("The bounds are saved. They apply to the next version that is put into use.", "success")
    return redirect(url_for("review.gates", name=name))


def _gates(name: str, values: dict[str, str], errors: dict[str, str]) -> str:
    with reading(auth.settings()) as session:
        question = attributes.find(session, name).question
    held = gate_bounds.bounds(auth.settings(), name)
    return render_template("gates.html", name=name, question=question, bounds=held, given=values, errors=errors)
