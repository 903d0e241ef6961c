"""One's own account: the password, and where one is logged in; by a login link one chooses without the old."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import PasswordField, SubmitField
from wtforms.validators import EqualTo, InputRequired, Length

from attune.labeler.people import invite, login_links, login_sessions, users
from attune.labeler.people.viewer import Viewer
from attune.labeler.views.home import home
from attune.labeler.web import auth, languages, origin, throttle
from attune.labeler.web.pages.welcome import BY_LINK
from attune.models.text import plural

blueprint = Blueprint("account", __name__)


class PasswordForm(FlaskForm):
    """The old password once, the new one twice."""

    old = PasswordField(
        "Current password",
        validators=[InputRequired("Enter your current password."), Length(max=200)],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        "New password",
        validators=[
            InputRequired("Enter a new password."),
            Length(users.SHORTEST_PASSWORD, 200, f"Enter at least {users.SHORTEST_PASSWORD} characters."),
        ],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "New password again",
        validators=[EqualTo("new", "The two new passwords differ.")],
        render_kw={"autocomplete": "new-password"},
    )
    submit = SubmitField("Change password")


@blueprint.get("/account")
def page() -> ResponseReturnValue:
    """Who one is here, the form, and the browsers one is logged in with."""
    return _page(_form())


@blueprint.post("/account")
@throttle.limiter.limit(throttle.PER_NETWORK_ADDRESS, deduct_when=throttle.failed)
def change() -> ResponseReturnValue:
    """Change the password: this browser stays in, every other session of this login ends."""
    form, viewer = _form(), auth.viewer()
    if not auth.settings().passwords:
        flash("Passwords are turned off here, so none was saved. Log in with your company's account.", "danger")
        return redirect(url_for("account.page"))
    if form.validate_on_submit():
        if form.old is None or users.verify(auth.settings(), viewer.name, form.old.data or ""):
            new_password = form.new.data or ""
            auth.begin(
                users.choose_password(auth.settings(), viewer.name, new_password, origin.here(), auth.key_here())
            )
            if form.old is None:  # by a link: the next thing is the work, not the account
                return _welcomed(viewer)
            flash("Your password is changed. Your other sessions have ended.", "success")
            return redirect(url_for("account.page"))
        form.old.errors = ["This is not your current password."]
    return _page(form), 422


@blueprint.post("/account/label-studio")
def label_studio() -> ResponseReturnValue:
    """A new password for Label Studio, shown this once, and to no one but the expert."""
    viewer = auth.viewer()
    if viewer.expert_id is None:
        flash("You have no queues in Label Studio. Only an expert has a password there.", "danger")
        return redirect(url_for("account.page"))
    return render_template("account_label_studio.html", made=invite.renew(auth.settings(), viewer.name))


@blueprint.post("/account/language")
def language() -> ResponseReturnValue:
    """Choose the language of the labelling pages for this browser; an empty one leaves it to the browser."""
    flash("Your choice of language is saved.", "success")
    reply = make_response(redirect(url_for("account.page")))
    languages.choose(reply, request.form.get("language", ""))
    return reply


@blueprint.post("/account/sessions")
def end_others() -> ResponseReturnValue:
    """End one's sessions in other browsers."""
    count = login_sessions.end_others(auth.settings(), auth.viewer().user_id or 0, auth.key_here())
    flash(f"{plural(count, 'other session')} ended." if count else "You have no other sessions.", "success")
    return redirect(url_for("account.page"))


def _welcomed(viewer: Viewer) -> ResponseReturnValue:
    """To the first page, with the way to the own queue where there is one."""
    own = any(card.queue_url for card in home(auth.settings(), viewer).cards.items)
    what = " Your questions are at the top of this page: press “Start labelling”." if own else ""
    flash(f"Welcome to Attune. Your password is saved; next time, log in as {viewer.name} with it.{what}", "success")
    return redirect(url_for("home.page"))


def _page(form: PasswordForm) -> str:
    mine = login_sessions.of(auth.settings(), auth.viewer().user_id or 0, auth.key_here())
    links = login_links.of(auth.settings(), auth.viewer().user_id or 0)
    return render_template("account.html", form=form, sessions=mine, links=links)


def _form() -> PasswordForm:
    form = PasswordForm()
    if session.get(BY_LINK) and auth.settings().passwords:
        del form.old
        form.submit.label.text = "Save password"
    return form
