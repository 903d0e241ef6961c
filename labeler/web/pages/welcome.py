"""In by a login link: the page asks first, as programs that look at links before people do would use it up."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.people import login_links
from attune.labeler.web import auth, origin, throttle

blueprint = Blueprint("welcome", __name__, url_prefix="/welcome")
BY_LINK = "by_link"  # in the session: a password may be chosen without the one of before


@blueprint.get("/<text>")
@throttle.limiter.limit(throttle.PER_NETWORK_ADDRESS, deduct_when=throttle.refused)
def page(text: str) -> ResponseReturnValue:
    """Whose link it is, and the button."""
    return render_template("welcome.html", email=login_links.user_of_link(auth.settings(), text), goes_on=_next())


@blueprint.post("/<text>")
@throttle.limiter.limit(throttle.PER_NETWORK_ADDRESS, deduct_when=throttle.refused)
def enter(text: str) -> ResponseReturnValue:
    """Begin the session; the link opens nothing from now on."""
    auth.begin(login_links.use(auth.settings(), text, origin.here()))
    session[BY_LINK] = True
    return redirect(_next() or url_for("account.page" if auth.settings().passwords else "home.page"))


def _next() -> str:
    """Where the link leads, if that is more than a new password: a path of this console."""
    asked = request.args.get("next")
    return auth.safe_next(asked) if asked else ""
