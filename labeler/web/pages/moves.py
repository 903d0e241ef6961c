"""Promote, roll back, retire: each a form that says what changes and asks why, then a page that shows how it went."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from werkzeug.exceptions import Forbidden, NotFound
from wtforms import BooleanField, HiddenField, RadioField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from attune.labeler.attributes import attributes
from attune.labeler.catalog import aliases, gates, promote
from attune.labeler.catalog.alias_history import check_alias, moment
from attune.labeler.catalog.alias_moves import Move, expect
from attune.labeler.catalog.measure_review import outdated
from attune.labeler.catalog.run_facts import LATEST
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.views import moves, review_verdict, versions
from attune.labeler.views.moves import Intent
from attune.labeler.views.review_verdict import Judged
from attune.labeler.web import auth, review_waits
from attune.models.catalog.manifest import CHAMPION
from attune.models.errors import CatalogError, NotMeasured, ServiceDown

blueprint = Blueprint("moves", __name__, url_prefix="/attributes/<name>")
REASON = "reason"  # in the cookie: what was written before the figures were measured again


class ReasonForm(FlaskForm):
    """Why, and what its reader saw when deciding: ``asked_at`` tells a second click, ``expected`` a lost race."""

    reason = TextAreaField(
        "Reason",
        validators=[
            DataRequired("Enter a reason in a few words. The history keeps it."),
            Length(max=500, message="At most 500 characters."),
        ],
        render_kw={"rows": 3, "maxlength": 500},
    )
    asked_at = HiddenField(validators=[InputRequired(), Length(max=40)])
    expected = HiddenField(validators=[Length(max=200)])
    submit = SubmitField()


class PromoteForm(ReasonForm):
    """The reason, the alias to move, and the owner's word where an enforced gate was not passed, or a class has no
    answer."""

    alias = RadioField("Alias", choices=list(moves.ALIASES), default=CHAMPION)
    override = BooleanField("Override the gates")
    draft = BooleanField("Publish a draft")


@blueprint.get("/promote")
def promote_page(name: str) -> ResponseReturnValue:
    """What a promotion of ``?version=`` would change, its gates, and the form."""
    wanted = moves.intent(auth.settings(), name, request.args.get("version", LATEST)[:20])
    alias = request.args.get("alias", CHAMPION)
    form = PromoteForm(alias=alias if alias in moves.ALIASES else CHAMPION)
    try:
        judged = review_verdict.of_run(auth.settings(), name, wanted.version)
    except NotMeasured:
        return review_waits.page(name, str(wanted.version))
    if request.args.get("anew") and outdated(judged.made):
        return review_waits.page(name, str(wanted.version))
    if session.get(REASON, {}).get("of") == [name, wanted.version]:
        form.reason.data = session.pop(REASON)["text"]
    return _promote_page(form, wanted, judged)


@blueprint.post("/promote")
def promote_version(name: str) -> ResponseReturnValue:
    """Ask the workers to promote: checking the files and writing them may take a while."""
    settings, who = auth.settings(), auth.viewer().name
    intent = moves.intent(settings, name, request.args.get("version", LATEST)[:20])
    try:
        form, judged = PromoteForm(), review_verdict.of_run(settings, name, intent.version)
    except NotMeasured:  # the champion was changed since the form was opened
        return review_waits.page(name, str(intent.version))
    alias = form.alias.data or CHAMPION
    if form.validate_on_submit():
        before = moves.earlier_job(settings, name, who, form.asked_at.data)
        if before:
            return redirect(url_for("moves.progress", name=name, job=before))
        if outdated(judged.made):  # nobody decides by figures of yesterday's answers
            session[REASON] = {"of": [name, intent.version], "text": form.reason.data}
            again = url_for("moves.promote_page", name=name, version=intent.version, alias=alias, anew=1)
            return redirect(again, 303)
        if intent.now(alias) == intent.version:
            form.alias.errors = [f"Version {intent.version} is already {alias}. Choose another alias or version."]
        elif intent.unanswered and not form.draft.data:
            form.draft.errors = ["A class has no answers. Tick this box to publish a draft anyway."]
        elif gates.failing(judged.gates) and not form.override.data:
            form.override.errors = ["An enforced gate was not passed. Tick this box to override it."]
        else:
            return _ask(form, intent, alias)
    return _promote_page(form, intent, judged), 422


def _ask(form: PromoteForm, intent: Intent, alias: str) -> ResponseReturnValue:
    settings = auth.settings()
    try:
        expected = _expected(form, alias)
        with reading(settings) as records:
            expect(records, attributes.find(records, intent.name), alias, expected)
        job = jobs.enqueue(
            settings,
            "publish",
            attribute=intent.name,
            version=intent.version,
            reason=form.reason.data.strip(),
            who=auth.viewer().name,
            asked_by=_login(intent),
            alias=alias,
            override=bool(form.override.data),
            asked_at=form.asked_at.data,
            expected=expected,
            **({"draft": True} if form.draft.data and intent.unanswered else {}),
        )
    except (CatalogError, ServiceDown) as error:
        flash(str(error), "danger")
        return redirect(url_for("moves.promote_page", name=intent.name, version=intent.version, alias=alias))
    return redirect(url_for("moves.progress", name=intent.name, job=job))


def _login(intent: Intent) -> int:
    """The login that asks, which must still be an owner's when a worker promotes. Raises Forbidden for a token, which
    may be revoked in the meantime: a job without a login counts as this machine's own command."""
    user_id = auth.viewer().user_id
    if user_id is None:
        raise Forbidden(
            "You sent a token. A promotion waits for a worker, and a token may be revoked in the meantime. Log in to "
            f"promote here, or run the command: attune probes promote {intent.name} {intent.version} --reason R"
        )
    return user_id


def _promote_page(form: PromoteForm, intent: Intent, judged: Judged) -> str:
    _fresh(form, intent.name)
    return render_template(
        "promote.html",
        form=form,
        wanted=intent,
        verdict=judged.verdict,
        made=judged.made,
        note=review_waits.ask_anew(intent.name, intent.version, judged.made),
        gates=judged.gates,
        rules=gates.RULES,
        stopping=gates.failing(judged.gates),
    )


@blueprint.get("/rollback")
def rollback_page(name: str) -> ResponseReturnValue:
    """Where ``?alias=`` would point again, and the form."""
    return _rollback_page(ReasonForm(), name)


@blueprint.post("/rollback")
def rollback(name: str) -> ResponseReturnValue:
    """Point the alias at the version it pointed at before, and have the pool of today scored with it."""
    form, settings = ReasonForm(), auth.settings()
    alias = check_alias(request.args.get("alias", CHAMPION))
    if not form.validate_on_submit():
        return _rollback_page(form, name), 422
    try:
        asked_at, expected = moment(form.asked_at.data, "asked_at"), _expected(form, alias)
        move = Move(name, None, form.reason.data, auth.viewer().name, alias, asked_at=asked_at, expected=expected)
        done = promote.rollback(settings, move)
    except CatalogError as error:
        flash(str(error), "danger")
        return redirect(url_for("moves.rollback_page", name=name, alias=alias))
    flash(f"{name}@{alias} is version {done.version} (was {done.before}).", "success")
    if jobs.workers_alive(settings, "score"):
        job = jobs.enqueue(settings, "score", attribute=name, version=done.version)
        return redirect(url_for("moves.progress", name=name, job=job))
    return redirect(url_for("versions.history", name=name))


def _rollback_page(form: ReasonForm, name: str) -> str:
    alias = check_alias(request.args.get("alias", CHAMPION))
    _fresh(form, name)
    return render_template("rollback.html", form=form, undo=moves.undo(auth.settings(), name, alias))


@blueprint.get("/versions/<int:version>/retire")
def retire_page(name: str, version: int) -> ResponseReturnValue:
    """Who could no longer get the version, and the form."""
    return _retire_page(ReasonForm(), name, version)


@blueprint.post("/versions/<int:version>/retire")
def retire(name: str, version: int) -> ResponseReturnValue:
    """Stop serving the version."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _retire_page(form, name, version), 422
    try:
        promote.retire(auth.settings(), Move(name, version, form.reason.data, auth.viewer().name))
    except CatalogError as error:
        flash(str(error), "danger")
        return redirect(url_for("moves.retire_page", name=name, version=version))
    flash(f"Version {version} is retired. Its files and feature values are kept.", "success")
    return redirect(url_for("versions.page", name=name, version=version))


def _retire_page(form: ReasonForm, name: str, version: int) -> str:
    _fresh(form, name)
    return render_template("retire.html", form=form, wanted=moves.published(auth.settings(), name, version))


@blueprint.get("/moves/<job>")
def progress(name: str, job: str) -> ResponseReturnValue:
    """How a move and the scoring after it get on."""
    found = moves.progress(auth.settings(), name, job)
    if found is None:
        raise NotFound("This move does not exist. The history lists all moves of the question.")
    (pull, *_) = versions.commands(auth.settings(), name, found.alias or str(found.version))
    return render_template("move.html", move=found, job=job, pull=pull.text)


def _fresh(form: ReasonForm, name: str) -> None:
    """Write down what the reader of this form sees now, unless it comes back with a mistake."""
    if not form.asked_at.data:
        form.asked_at.data = moves.stamp()
        held = aliases.recorded(auth.settings(), name)
        form.expected.data = ",".join(f"{alias}={version}" for alias, version in held.items())


def _expected(form: ReasonForm, alias: str) -> int:
    """The version that the form's reader saw ``alias`` at, 0 for none."""
    pairs = (part.partition("=") for part in (form.expected.data or "").split(","))
    held = {key: int(value) for key, _, value in pairs if value.isdigit()}
    return held.get(alias, 0)
