"""API tokens: create one (shown once), list, revoke."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.people import tokens
from attune.labeler.web import auth
from attune.models.errors import DataError
from attune.models.text import plural

blueprint = Blueprint("tokens", __name__, url_prefix="/tokens")


@blueprint.get("")
def page() -> ResponseReturnValue:
    """Every token's name and state, and the form for one more."""
    return _page()


@blueprint.post("")
def make() -> ResponseReturnValue:
    """A new token, shown this once."""
    name, role = request.form.get("name", ""), request.form.get("role", "pipeline")
    try:
        return _page(new_token=tokens.issue(auth.settings(), name, role), name=name)
    except DataError as error:
        return _page(error=str(error), name=name), 422


@blueprint.post("/revoke")
def revoke() -> ResponseReturnValue:
    """Make every token of a name useless."""
    name = request.form.get("name", "")
    count = tokens.revoke(auth.settings(), name)
    flash(
        f"{plural(count, 'token')} named {name} revoked. Pipelines can no longer use {'it' if count == 1 else 'them'}.",
        "success",
    )
    return redirect(url_for("tokens.page"))


def _page(new_token: str | None = None, name: str = "", error: str = "") -> str:
    found = tokens.page(auth.settings(), request.args.get("page", 1, int))
    return render_template("tokens.html", found=found, made=new_token, name=name, error=error, roles=tokens.ROLES)
