"""Members: the groups of a version, a forecast for a title, and the move that puts a version to use."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.views.members import members_page, promote
from attune.labeler.web import auth

blueprint = Blueprint("members", __name__, url_prefix="/members")


@blueprint.get("")
def page() -> ResponseReturnValue:
    """The groups of the version in use, or of the one that was asked for."""
    version, title = request.args.get("version", ""), request.args.get("title", "")
    return render_template("members.html", found=members_page(auth.settings(), auth.viewer(), version, title))


@blueprint.post("")
def use() -> ResponseReturnValue:
    """Promote a version, with a reason."""
    form = request.form
    row = promote(auth.settings(), form.get("version", ""), form.get("reason", ""), auth.viewer().name)
    flash(f"Version {row.id} is in use.", "success")
    return redirect(url_for("members.page"))
