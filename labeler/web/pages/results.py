"""The results of an attribute: the gallery, one image large, and views with a name."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.answers import look_again
from attune.labeler.attributes import saved_views
from attune.labeler.people.viewer import check_filter
from attune.labeler.views.attribute_tabs import results_tab
from attune.labeler.views.choosing import choosing
from attune.labeler.views.gallery import SHOWS, SORTS, GalleryRequest
from attune.labeler.views.gallery_image import large_image
from attune.labeler.web import auth
from attune.labeler.web.svg.learning_curve import learning_curve
from attune.models.errors import DataError

blueprint = Blueprint("results", __name__, url_prefix="/attributes/<name>/results")
LONGEST = 300  # characters of any one field


@blueprint.get("")
def page(name: str) -> ResponseReturnValue:
    """Images by class, then how good the probe is."""
    asked = _asked()
    tab = results_tab(auth.settings(), auth.viewer(), name, asked)
    # Experts have only what they answered here.
    bar = choosing(auth.settings(), auth.viewer(), name) if auth.viewer().manages else None
    return render_template(
        "results.html", page=tab, head=tab.head, chart=learning_curve(tab.curve), state=dict(_state(asked)),
        sorts=SORTS, shows=SHOWS, bar=bar if bar is not None and bar.name == name else None,
    )  # fmt: skip


@blueprint.get("/image")
def image(name: str) -> ResponseReturnValue:
    """One image large, with the images beside it in the same gallery one key away."""
    asked = _asked()
    found = large_image(auth.settings(), auth.viewer(), name, _field("id"), asked)
    return render_template("result_image.html", page=found, head=found.head, state=dict(_state(asked)))


@blueprint.post("/again")
def again(name: str) -> ResponseReturnValue:
    """Ask the expert who gave an answer to look at it once more."""
    try:
        person = look_again.ask(auth.settings(), auth.viewer(), name, request.form.get("annotation", 0, int))
        flash(f"{person} gets a notice that leads to this answer. It says nothing of other answers.", "success")
    except DataError as error:
        flash(str(error), "danger")
    state: dict[str, Any] = dict(_state(_asked()))
    return redirect(url_for("results.image", name=name, id=_field("id"), **state))


@blueprint.post("/views")
def save(name: str) -> ResponseReturnValue:
    """Give the filters in the form a name."""
    state = _state(_asked())
    view = saved_views.save(auth.settings(), name, _field("view"), state, auth.viewer().name)
    flash(f"The view “{view.name}” is saved. Its address shows the same filters to every owner.", "success")
    return redirect(f"{url_for('results.page', name=name)}?{view.query}")


@blueprint.post("/views/remove")
def remove(name: str) -> ResponseReturnValue:
    """Forget a view."""
    saved_views.remove(auth.settings(), name, _field("view"))
    flash("The view is removed.", "success")
    return redirect(url_for("results.page", name=name))


def _asked() -> GalleryRequest:
    """What the address or the form says; what cannot be read is left at its default.

    Raises AccessError where an expert filters by a column."""
    sort, show = _field("sort"), _field("show")
    check_filter(auth.viewer(), _field("column"))
    return GalleryRequest(
        by=_field("by"),
        sort=sort if sort in SORTS else "high",
        show=show if show in SHOWS else "",
        lo=_percent("lo", 0),
        hi=_percent("hi", 100),
        title=_field("title"),
        column=_field("column"),
        value=_field("value"),
        page=request.values.get("page", 1, int),
    )


def _field(name: str) -> str:
    return request.values.get(name, "").strip()[:LONGEST]


def _percent(name: str, default: int) -> int:
    return max(0, min(100, request.values.get(name, default, int)))


def _state(asked: GalleryRequest) -> list[tuple[str, str]]:
    """The address of this gallery, without its page and without what is as usual."""
    fields = {
        "by": asked.by, "sort": asked.sort, "show": asked.show, "lo": str(asked.lo), "hi": str(asked.hi),
        "title": asked.title, "column": asked.column if asked.value else "", "value": asked.value,
    }  # fmt: skip
    usual = {"sort": "high", "lo": "0", "hi": "100"}
    return [(key, value) for key, value in fields.items() if value and value != usual.get(key)]
