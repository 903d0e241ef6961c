"""Insights: the list, one with its evidence, and the moves: run, register, publish, retire."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.exchange.export_tables import write_csv
from attune.labeler.insights import companions, features, publishing, questions
from attune.labeler.insights.amounts import unbroken_page
from attune.labeler.insights.features import PER_SD
from attune.labeler.insights.known import Known
from attune.labeler.jobs import jobs
from attune.labeler.views.explore_jobs import waiting
from attune.labeler.views.insight_test import arms_rows, test_page
from attune.labeler.views.insights import KIND, insight_page, insights_page
from attune.labeler.web import auth
from attune.models.errors import DataError

blueprint = Blueprint("insights", __name__, url_prefix="/insights")


@blueprint.get("")
def page() -> ResponseReturnValue:
    """All insights, the surest first."""
    return _page()


def _page(error: str = "") -> str:
    """All insights; ``error``: why the question of this request was not registered, beside its form as it was sent."""
    found = insights_page(auth.settings(), auth.viewer())
    return unbroken_page(render_template("insights.html", found=found, error=error, form=request.form))


@blueprint.post("")
def run() -> ResponseReturnValue:
    """Ask for a run, unless one is at it."""
    settings, viewer = auth.settings(), auth.viewer()
    if not waiting(settings, KIND):
        jobs.enqueue(settings, KIND, who=viewer.name, asked_by=viewer.user_id)
    return redirect(url_for("insights.page"))


@blueprint.post("/questions")
def register() -> ResponseReturnValue:
    """Freeze a question."""
    try:
        _register()
    except DataError as error:
        return _page(str(error)), 422
    return redirect(url_for("insights.page"))


def _register() -> None:
    """Freeze the question of the form. Raises DataError, in words of the form."""
    settings, form = auth.settings(), request.form
    known = features.known(settings)
    name = form.get("feature", "")
    if name not in known:
        raise DataError(f"There is no feature {name[:80]!r}. Choose one from the list.")
    contrast, canvas = _contrast("first", "second") or form.get("contrast", ""), form.get("canvas", "").strip()[:255]
    way, other = form.get("way", ""), form.get("other", "")
    _check(known[name], contrast)
    if way and (way not in (companions.DEPENDS, companions.HOLDING) or other not in known):
        raise DataError(f"There is no other feature {other[:80]!r}. Choose one from the list.")
    wanted = companions.Wanted(way, known[other], _contrast("other_first", "other_second")) if way else None
    if wanted:
        _check(wanted.other, wanted.contrast)
        companions.contrast_beside(known[name], wanted)
    done = questions.ask(settings, known[name], contrast, canvas, auth.viewer().name)
    if wanted:
        companions.ask(settings, done.row, known[name], wanted, auth.viewer().name)
    which = "All titles answer it." if done.row.titles == questions.ALL else (
        "Figures of its feature could be seen before, so its answer is not published. Confirm it with new performance."
        if done.row.seen else "The half of the titles answers it that did not find it."
    )  # fmt: skip
    begin = "was registered before" if done.again else "is registered and never changes"
    flash(f"Question {done.row.id} {begin}. {which} The next run answers it.", "success")


def _check(feature: Known, contrast: str) -> None:
    """Raise DataError, in the words of the form, for classes that ``feature`` cannot be compared by."""
    if not feature.classes and contrast not in ("", PER_SD):
        raise DataError(
            f"{feature.name} is a number, so it has no classes to compare. Choose no classes, or another feature."
        )
    if feature.classes and features.pair(feature, contrast) is None and (contrast or len(feature.classes) > 2):
        raise DataError(
            f"No two classes of {feature.name} were chosen. Choose two different ones of {', '.join(feature.classes)}."
        )


def _contrast(first: str, second: str) -> str:
    """The two classes that the form names, as one text; empty where it names none."""
    chosen = [request.form.get(name, "") for name in (first, second)]
    if any(chosen) and (not all(chosen) or chosen[0] == chosen[1]):
        raise DataError("A comparison needs two different classes. Choose one on each side.")
    return ":".join(chosen) if any(chosen) else ""


@blueprint.get("/<int:number>")
def one(number: int) -> ResponseReturnValue:
    """One insight with its evidence."""
    found = insight_page(auth.settings(), auth.viewer(), number)
    return unbroken_page(render_template("insight.html", found=found, card=found.card, one=found.card.one))


@blueprint.get("/<int:number>/test")
def test(number: int) -> ResponseReturnValue:
    """What to show at random to confirm it."""
    found = test_page(auth.settings(), auth.viewer(), number)
    return unbroken_page(render_template("insight_test.html", found=found))


@blueprint.get("/<int:number>/arms.csv")
def arms(number: int) -> ResponseReturnValue:
    """The test's images as a file."""
    response = Response(write_csv(*arms_rows(auth.settings(), auth.viewer(), number)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="test-of-insight-{number}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.post("/<int:number>/publish")
def publish(number: int) -> ResponseReturnValue:
    """Publish the version that the page showed, with a reason."""
    form, viewer = request.form, auth.viewer()
    sent = form.get("version", "")
    version = int(sent) if sent.isascii() and sent.isdecimal() and len(sent) <= 9 else 0  # there is no version 0
    done = publishing.publish(auth.settings(), number, form.get("reason", ""), viewer.name, version, viewer.user_id)
    flash(f"Version {done.newest.version} is published.", "success")
    return redirect(url_for("insights.one", number=number))


@blueprint.post("/<int:number>/retire")
def retire(number: int) -> ResponseReturnValue:
    """Retire an insight forever, with a reason."""
    viewer = auth.viewer()
    publishing.retire(auth.settings(), number, request.form.get("reason", ""), viewer.name, viewer.user_id)
    flash("The insight is retired. Its versions and its history stay.", "success")
    return redirect(url_for("insights.one", number=number))
