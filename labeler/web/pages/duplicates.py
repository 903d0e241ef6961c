"""Duplicates: images that are nearly the same, outliers, and what an owner decides about them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.assets.active_encoder import active_fingerprint
from attune.labeler.assets.remove import Removed, remove
from attune.labeler.explore import duplicates, look_alikes
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.views.duplicates import deciding, duplicates_page
from attune.labeler.views.explore_jobs import progress
from attune.labeler.web import auth
from attune.models.errors import DataError
from attune.models.text import plural

blueprint = Blueprint("duplicates", __name__, url_prefix="/explore/duplicates")
KEEP, TITLE, REMOVE = "keep", "title", "remove"  # what is confirmed first
LEAST = {KEEP: 2, TITLE: 2, REMOVE: 1}


@blueprint.get("")
def page() -> ResponseReturnValue:
    """Groups of near duplicates, or with ``?show=outliers`` what is unlike all others."""
    settings = auth.settings()
    with reading(settings) as session:
        encoder = active_fingerprint(session)
    number = request.args.get("page", 1, int)
    found = duplicates_page(settings, auth.viewer(), number, encoder.digest if encoder else "")
    return render_template("explore_duplicates.html", found=found, outliers=_outliers())


@blueprint.post("")
def look() -> ResponseReturnValue:
    """Ask for a search, unless a job is at it."""
    settings = auth.settings()
    with reading(settings) as session:
        waits = progress(session, (duplicates.KIND,)).waits
    if not waits:
        jobs.enqueue(settings, duplicates.KIND)
    return _back()


@blueprint.get("/confirm")
def confirm() -> ResponseReturnValue:
    """Say what a decision does, before it is done."""
    wanted = _wanted()
    found = deciding(auth.settings(), auth.viewer(), _images(), LEAST[wanted])
    keep = request.args.get("keep", found.images[0].image.asset_id) if wanted == KEEP else ""
    kept = [one for one in found.images if one.image.asset_id == keep]
    if wanted == KEEP and not kept:
        raise DataError(f"{keep[:80]!r} is not among these images. Load the page Duplicates again.")
    going = [one for one in found.images if one not in kept]
    return render_template("explore_duplicates_confirm.html", found=found, wanted=wanted, kept=kept, going=going)


@blueprint.post("/confirm")
def decide() -> ResponseReturnValue:
    """Do what was confirmed."""
    settings, who, wanted, images = auth.settings(), auth.viewer().name, _wanted(), _images()
    if wanted == TITLE:
        title = request.form.get("title", "")
        changed = look_alikes.same_title(settings, images, title, who)
        flash(f"{plural(changed, 'image')} moved to the title {title}. You can undo this below.", "success")
        return _back()
    with reading(settings) as session:
        there = [one.asset_id for one in look_alikes.found(session, images, LEAST[wanted])]
    keep = request.form.get("keep", "") if wanted == KEEP else ""
    if wanted == KEEP and keep not in there:
        raise DataError(f"{keep[:80]!r} is not among these images, so nothing was removed. Load the page again.")
    _tell(remove(settings, [one for one in there if one != keep], kept=keep))
    return _back()


@blueprint.post("/stay")
def stay() -> ResponseReturnValue:
    """Remember that images are no duplicates, or no outliers: they are not shown again."""
    settings, who, images = auth.settings(), auth.viewer().name, _images()
    if _outliers():
        look_alikes.belongs(settings, images, who)
    else:
        look_alikes.keep_apart(settings, images, who)
    flash("Remembered. These images are not shown here again. You can undo this below.", "success")
    return _back()


@blueprint.post("/undo")
def undo() -> ResponseReturnValue:
    """Take a decision back."""
    row = look_alikes.undo(auth.settings(), request.form.get("decision", 0, int))
    flash("Undone." + (" The images have their titles of before." if row.titles_before else ""), "success")
    return _back()


def _tell(done: Removed) -> None:
    flash(f"{plural(len(done.removed), 'image')} removed from the pool and the queues.", "success")
    if done.label_studio_error:
        names = " ".join(done.removed)
        flash(
            f"Label Studio still lists the tasks, without their images. {done.label_studio_error} When it answers "
            f"again: `attune assets remove {names}`",
            "warning",
        )


def _wanted() -> str:
    wanted = request.values.get("do", "")
    if wanted not in LEAST:
        raise DataError(f"do: got {wanted[:20]!r}. Expected keep, title or remove. Begin on the page Duplicates.")
    return wanted


def _images() -> list[str]:
    return [one[:255] for one in request.values.getlist("image")][: look_alikes.MOST + 1]


def _outliers() -> bool:
    return request.values.get("show", "") == "outliers"


def _back() -> ResponseReturnValue:
    number = request.form.get("page", 1, int)
    shown = "outliers" if _outliers() else None
    return redirect(url_for("duplicates.page", show=shown, page=number if number > 1 else None))
