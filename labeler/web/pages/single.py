"""Log in by the company's account: to the provider, and back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from attune.labeler.people import users
from attune.labeler.web import auth, origin, single_sign_on, throttle
from attune.models.errors import AccessError

blueprint = Blueprint("single", __name__)
NEXT = "after_single"


@blueprint.get("/login/single")
@throttle.limiter.limit(throttle.PER_NETWORK_ADDRESS, deduct_when=throttle.came_in_vain)
def begin() -> ResponseReturnValue:
    """Off to the provider."""
    _check()
    session[NEXT] = request.args.get("next", "")[:500]  # a cookie of above 4 KB is dropped
    try:
        return single_sign_on.begin(auth.settings())
    except AccessError as error:
        return _refuse(str(error))


@blueprint.get(single_sign_on.WAY_BACK)
@throttle.limiter.limit(throttle.PER_NETWORK_ADDRESS, deduct_when=throttle.came_in_vain)
def back() -> ResponseReturnValue:
    """Let in whoever the provider has proved to be, where that address has an open login here."""
    _check()
    after = session.pop(NEXT, "")
    try:
        email = single_sign_on.proved_address(auth.settings())
    except AccessError as error:
        return _refuse(str(error))
    entered = users.enter_proved(auth.settings(), email, origin.here())
    if entered is None:
        return _refuse(f"{email} has no login here. Ask an owner or admin to add you.")
    auth.begin(entered)
    return redirect(auth.safe_next(after))


def _check() -> None:
    if not single_sign_on.is_set_up(auth.settings()):
        raise NotFound


def _refuse(message: str) -> ResponseReturnValue:
    flash(message, "danger")
    return redirect(url_for("login.page"))
