"""Log in and out."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SubmitField
from wtforms.validators import InputRequired, Length

from attune.labeler.people import users
from attune.labeler.web import auth, origin, throttle

blueprint = Blueprint("login", __name__)


class LoginForm(FlaskForm):
    """Address and password; lengths are bounded, as hashing a huge password would cost us and not its sender."""

    email = EmailField(
        "Email",
        validators=[InputRequired("Enter your email."), Length(max=254)],
        render_kw={"autocomplete": "username", "autofocus": True},
    )
    password = PasswordField(
        "Password",
        validators=[InputRequired("Enter your password."), Length(max=200)],
        render_kw={"autocomplete": "current-password"},
    )
    submit = SubmitField("Log in")


@blueprint.get("/login")
def page() -> ResponseReturnValue:
    """The form, or onwards for the person who is in already."""
    if current_user.is_authenticated:
        return redirect(auth.safe_next(request.args.get("next")))
    return render_template("login.html", form=LoginForm())


@blueprint.post("/login")
@throttle.limiter.limit(throttle.PER_NETWORK_ADDRESS, deduct_when=throttle.failed)
@throttle.limiter.limit(throttle.PER_LOGIN, key_func=throttle.login_from_here, deduct_when=throttle.failed)
def enter() -> ResponseReturnValue:
    """Begin a session; a wrong address and a wrong password get the same answer."""
    form = LoginForm()
    if not auth.settings().passwords:
        flash("Passwords are turned off here. Log in with your company's account.", "danger")
    elif form.validate_on_submit():
        email, password = form.email.data or "", form.password.data or ""
        entered = users.log_in(auth.settings(), email, password, origin.here())
        if entered:
            auth.begin(entered)
            return redirect(auth.safe_next(request.args.get("next")))
        flash("The email or the password is wrong.", "danger")  # the page says what to do
    return render_template("login.html", form=form), 401


@blueprint.post("/logout")
def leave() -> ResponseReturnValue:
    """End the session of this browser."""
    auth.end()
    return redirect(url_for("login.page"))
