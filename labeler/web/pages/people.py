"""People: who answers and who manages; add, reset, shut out and remove them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, Forbidden

from attune.labeler.answers import exclude_expert
from attune.labeler.attributes import attributes
from attune.labeler.notices import link_mail
from attune.labeler.people import end_access, end_label_studio_access, erased_list, experts, invite, login_links, users
from attune.labeler.people import erase as erasure
from attune.labeler.records.session import reading, writing
from attune.labeler.views import people as view
from attune.labeler.web import auth
from attune.models.errors import AlreadyThere, DataError, UnknownExpert

blueprint = Blueprint("people", __name__, url_prefix="/people")
KEEP, DROP = "keep", "drop"
SEE = "Below you see what ended and what remains."


@blueprint.get("")
def page() -> ResponseReturnValue:
    """All experts, and the logins of those who manage."""
    found = view.people(auth.settings(), request.args.get("page", 1, int))
    return render_template("people.html", found=found, managers=view.managers(auth.settings(), auth.viewer()))


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """The form for one more."""
    return _form(request.args, {})


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Make an expert, owner or admin, and show what to hand over, this once."""
    role, email = request.form.get("role", "expert"), request.form.get("email", "")
    _check(role)
    try:
        _check(users.role_of(auth.settings(), email))
        if role == "expert":
            attribute_names, name = request.form.getlist("attributes"), request.form.get("name", "")
            invitation = invite.invite(
                auth.settings(), email, attribute_names, name, may=_check, who=auth.viewer().name
            )
            return _handover_page(invitation)
        users.create(auth.settings(), email, role, experts.fresh_password())
    except (DataError, AlreadyThere) as error:
        field, _, message = str(error).partition(": ")
        return _form(request.form, {field: message} if field in {"email", "name", "role"} else {"": str(error)}), 422
    return _handover_page(_handed(email))


def _handover_page(invitation: invite.Welcome, again: bool = False) -> str:
    """What is to be handed over. The password for Label Studio is not among it: it is the person's alone, as whoever
    has it answers as this person, and nothing tells it."""
    joins = invitation.password is not None
    without_password = replace(invitation, password=None)
    settings, to, mailed = auth.settings(), invitation.email, None
    if invitation.link:
        role = users.role_of(settings, to) or "expert"
        mailed = link_mail.invite(settings, to, invitation.link, role, auth.viewer().name)
    return render_template("person_made.html", made=without_password, joins=joins, again=again, mailed=mailed)


def _form(values: Any, errors: dict[str, str]) -> str:
    with reading(auth.settings()) as session:
        names = [one.name for one in attributes.every(session)]
    roles = users.ROLES if auth.viewer().role == "admin" else ("expert",)
    chosen = values.getlist("attributes")
    return render_template("person_new.html", given=values, chosen=chosen, errors=errors, names=names, roles=roles)


def _handed(email: str) -> invite.Welcome:
    email = users.address(email)
    link = login_links.make(auth.settings(), email, may=_check, who=auth.viewer().name)
    return invite.Welcome(email, email, link, "", None)


@blueprint.get("/person")
def person() -> ResponseReturnValue:
    """One person from near, and what may be done."""
    found = view.person(auth.settings(), auth.viewer(), request.args.get("email", ""))
    return render_template("person.html", found=found, roles=users.ROLES)


@blueprint.post("/attributes")
def widen() -> ResponseReturnValue:
    """Give an expert one more question."""
    email = _allowed()
    wanted = request.form.getlist("attributes")

    def give() -> None:
        invite.invite(auth.settings(), email, wanted, may=_check, only_there=True)

    return _done(email, give, f"{email} has a new question. Attune is creating the queue in Label Studio.")


@blueprint.post("/link")
def link() -> ResponseReturnValue:
    """A new login link, shown this once."""
    return _handover_page(_handed(_allowed()), again=True)


@blueprint.post("/label-studio")
def label_studio() -> ResponseReturnValue:
    """A new password for Label Studio, which ends what was open there; only the person can have one shown."""
    email = _allowed()
    return _done(
        email,
        lambda: invite.renew(auth.settings(), email, may=_check),
        f"The sessions of {email} in Label Studio end within a minute, and the old password with them. A new one is "
        "shown only to the person, on the page Account.",
    )


@blueprint.post("/role")
def role() -> ResponseReturnValue:
    """Change what a login may do; its sessions end."""
    email, new_role = _allowed(), request.form.get("role", "")
    _check(new_role)
    return _done(
        email, lambda: users.set_role(auth.settings(), email, new_role), f"{email} now has the role {new_role}."
    )


@blueprint.get("/shut")
def shut_page() -> ResponseReturnValue:
    """What ends with a login, before it is done."""
    found = view.person(auth.settings(), auth.viewer(), request.args.get("email", ""))
    return render_template("person_shut.html", found=found)


@blueprint.post("/shut")
def shut() -> ResponseReturnValue:
    """Shut a login; its sessions end, and Label Studio is told."""
    email = _allowed()
    return _done(
        email, lambda: users.disable(auth.settings(), email, may=_check), f"The login {email} is disabled. {SEE}"
    )


@blueprint.post("/open")
def open_() -> ResponseReturnValue:
    """Open a login that was shut, by a new link, shown this once."""
    email = _allowed()
    try:
        invitation = invite.reopen(auth.settings(), email, may=_check, who=auth.viewer().name)
    except (DataError, AlreadyThere) as error:
        flash(str(error), "danger")
        return _back(email)
    return _handover_page(invitation, again=True)


@blueprint.post("/end-again")
def end_again() -> ResponseReturnValue:
    """Have Label Studio asked once more to end what is still open there."""
    email = _allowed()

    def ask() -> None:
        with writing(auth.settings()) as session:
            users.check_role(session, email, _check)
            job_id = end_access.record_again(session, email)
        end_label_studio_access.run_end_job(auth.settings(), job_id)

    return _done(email, ask, "Attune tries again to end access to Label Studio. This page shows the result.")


@blueprint.get("/leave")
def leave() -> ResponseReturnValue:
    """What a removal would concern, before it is done."""
    found = view.person(auth.settings(), auth.viewer(), request.args.get("email", ""))
    return render_template("person_leave.html", found=found)


@blueprint.post("/leave")
def remove() -> ResponseReturnValue:
    """Remove an expert, an owner or an admin."""
    email, answers = _allowed(), request.form.get("answers", KEEP)
    person_view = view.person(auth.settings(), auth.viewer(), email)
    if person_view.login and person_view.login.role != "expert" and request.form.get("what") != "expert":
        _done(email, lambda: users.remove(auth.settings(), email, may=_check), f"{email} is removed. {SEE}")
        if users.role_of(auth.settings(), email) is not None:  # the last administrator
            return _back(email)
    else:
        experts.remove(auth.settings(), email, may=_check)
        flash(f"{email} is removed. {SEE}", "success")
    if person_view.member and answers == DROP:
        moved_counts = exclude_expert.exclude(auth.settings(), email, may=_check, who=auth.viewer().name)
        flash(exclude_expert.summary_text(moved_counts, dropped=True), "success")
    return _back(email)


@blueprint.get("/erase")
def erase_page() -> ResponseReturnValue:
    """What an erasure takes and what stays, before it is done."""
    found = erasure.concerned(auth.settings(), request.args.get("email", ""))
    return render_template("person_erase.html", found=found, place=auth.settings().workspace / erased_list.NAME)


@blueprint.post("/erase")
def erase() -> ResponseReturnValue:
    """End a person's access, and erase the rest by a job."""
    email, drops = _allowed(), request.form.get("answers") == DROP
    try:
        job_id = erasure.ask(auth.settings(), email, drops, may=_check, who=auth.viewer().name)
    except (DataError, UnknownExpert) as error:
        flash(str(error), "danger")
        return redirect(url_for("people.page"))
    job = erasure.hand_over(auth.settings(), job_id)
    waits = "" if job.state in ("queued", "running", "done") else " Attune retries every minute."
    flash(f"The personal data is being erased. The page Jobs shows when it is done.{waits}", "success")
    return redirect(url_for("people.page"))


@blueprint.post("/answers")
def answers() -> ResponseReturnValue:
    """Set a person's answers aside, to one question or to all, or take them back."""
    email, name, choice = _allowed(), request.form.get("attribute") or None, request.form.get("answers")
    if choice not in (KEEP, DROP):
        raise BadRequest(f"answers is {choice!r}. Expected {DROP} (exclude) or {KEEP} (include).")
    moved_counts = (exclude_expert.exclude if choice == DROP else exclude_expert.include)(
        auth.settings(), email, name, may=_check, who=auth.viewer().name
    )
    flash(exclude_expert.summary_text(moved_counts, choice == DROP), "success")
    return _back(email)


def _allowed() -> str:
    """The address of the form, where the viewer may change that person. Raises Forbidden, DataError.

    The role may change right after: each act asks `_check` once more, in its own transaction.
    """
    email = users.address(request.form.get("email", ""))
    _check(users.role_of(auth.settings(), email))
    return email


def _check(role: str | None) -> None:
    if not view.may_manage(auth.viewer(), role):
        raise Forbidden(view.OWNERS_LIMIT)


def _done(email: str, act: Any, message: str) -> ResponseReturnValue:
    try:
        act()
    except (DataError, UnknownExpert) as error:
        flash(str(error), "danger")
    else:
        flash(message, "success")
    return _back(email)


def _back(email: str) -> ResponseReturnValue:
    return redirect(url_for("people.person", email=email))
