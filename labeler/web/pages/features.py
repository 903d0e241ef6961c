"""Features: the list, one with what people said of it, and the moves: guess one, have it checked, say what it means."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.attributes import audit_batches
from attune.labeler.insights import imported
from attune.labeler.jobs import jobs
from attune.labeler.measured import checks, measure_objects, objects
from attune.labeler.views.feature_pictures import kinds
from attune.labeler.views.features import feature_page, features_page, likeliest_images
from attune.labeler.web import auth
from attune.models.errors import DataError, EncoderError, PoolError, PoolExhausted, RecordsError, ServiceDown
from attune.models.measured.objects import phrased

blueprint = Blueprint("features", __name__, url_prefix="/insights/features")


@blueprint.get("")
def page() -> ResponseReturnValue:
    """All features that can be asked about."""
    return render_template("features.html", found=features_page(auth.settings()))


@blueprint.post("")
def guess() -> ResponseReturnValue:
    """Ask for an object by words: the encoder guesses which images show it, and people check that."""
    settings, phrase = auth.settings(), request.form.get("phrase", "")
    try:
        (wanted,) = phrased([phrase])
        measure_objects.check(settings, [wanted])
        before = objects.find(settings, wanted.name)
        jobs.enqueue(settings, "measure", objects=[phrase])
        said = f"The encoder guesses which images show {wanted.said}. In a minute, {wanted.name} is in this list."
        if before is not None and set(before.phrased.phrases) != set(wanted.phrases):
            said = f"{said} It replaces {wanted.name} from {before.phrased.said}, and insights on that will be stale."
        flash(f"{said} If it does not come, Jobs says why.", "success")
    except ServiceDown as error:
        flash(f"{error} Start the services and press again: `attune up`", "warning")
    except (DataError, EncoderError, PoolError) as error:
        flash(str(error), "danger")
    return redirect(url_for("features.page"))


@blueprint.get("/<name>")
def one(name: str) -> ResponseReturnValue:
    """One feature."""
    settings, found = auth.settings(), feature_page(auth.settings(), name)
    likeliest = likeliest_images(settings, auth.viewer(), name) if found.one.guessed else []
    shown = [] if found.one.guessed else kinds(settings, auth.viewer(), found.one)
    return render_template("feature.html", found=found, likeliest=likeliest, kinds=shown)


@blueprint.post("/<name>/audit")
def audit(name: str) -> ResponseReturnValue:
    """Ask experts to check the feature, and start the run that draws the images."""
    sent = request.form.get("size", "")
    size = int(sent) if sent.isascii() and sent.isdecimal() and len(sent) <= 6 else 0
    try:
        done = checks.request(auth.settings(), name, size)
        said = audit_batches.requested(size, done.granted).replace("audit answer", "answer")
        jobs.enqueue(auth.settings(), "learn", attribute=done.attribute)
        flash(f"{said} Experts find them under “{done.attribute}” on the labelling page.", "success")
    except ServiceDown as error:
        flash(f"{error} Start the services and press again: `attune up`", "warning")
    except (DataError, PoolExhausted, RecordsError) as error:
        flash(str(error), "danger")
    return redirect(url_for("features.one", name=name))


@blueprint.post("/<name>/means")
def means(name: str) -> ResponseReturnValue:
    """Keep what an imported feature means."""
    try:
        imported.say_meaning(auth.settings(), name, request.form.get("means", ""))
        flash(f"Insights now say what {name} means.", "success")
    except DataError as error:
        flash(str(error), "danger")
    return redirect(url_for("features.one", name=name))
