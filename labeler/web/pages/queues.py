"""What owners do with one expert's queue for one question: stop it, start it, ask for more answers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.attributes import attributes
from attune.labeler.notices import link_mail
from attune.labeler.people import login_links, users
from attune.labeler.queues import queues, stopping
from attune.labeler.queues.stopping import Stopped
from attune.labeler.records.session import reading
from attune.labeler.views import expert_queues
from attune.labeler.views import people as people_view
from attune.labeler.web import auth
from attune.models.errors import AlreadyThere, DataError, RecordsError

blueprint = Blueprint("queues", __name__, url_prefix="/attributes/<name>/queues")


@blueprint.post("/stop")
def stop(name: str) -> ResponseReturnValue:
    """Stop the queue."""
    return _done(name, lambda: stopping.stop(auth.settings(), name, _email(), auth.viewer().name))


@blueprint.post("/start")
def start(name: str) -> ResponseReturnValue:
    """Start the stopped queue."""
    return _done(name, lambda: stopping.start(auth.settings(), name, _email()))


@blueprint.post("/ask")
def ask(name: str) -> ResponseReturnValue:
    """Ask the expert for more answers: a link to the labelling page, by mail and to copy, shown this once."""
    settings, email, who = auth.settings(), _email(), auth.viewer().name
    with reading(settings) as session:
        question = attributes.find(session, name).question
    queue = next((one for one in expert_queues.of(settings, name) if one.email == email), None)
    if queue is None or queue.stopped_at is not None:
        why = "has no queue" if queue is None else "has a stopped queue"
        flash(f"{email} {why} for {name}. Only experts whose queue is open can be asked for more answers.", "danger")
        return _back(name)
    link, personal = queues.link(settings, name), users.role_of(settings, email) == "expert"
    if personal:  # an owner or admin has a way in of their own
        try:
            made = login_links.make(settings, email, may=_check, who=who)
        except (DataError, RecordsError) as error:
            flash(str(error), "danger")
            return _back(name)
        link = f"{made}?next={url_for('label.page', name=name)}"
    mailed = link_mail.ask_for_labels(settings, email, link, who, question, queue.waiting)
    return render_template(
        "queue_asked.html", name=name, question=question, queue=queue, link=link, personal=personal, mailed=mailed
    )


def _check(role: str | None) -> None:
    if not people_view.may_manage(auth.viewer(), role):
        raise DataError(people_view.OWNERS_LIMIT)


def _email() -> str:
    return users.address(request.form.get("email", ""))


def _done(name: str, act: Callable[[], Stopped]) -> ResponseReturnValue:
    try:
        done = act()
    except (AlreadyThere, RecordsError) as error:
        flash(str(error), "danger")
    else:
        flash(done.sentence, "success")
    return _back(name)


def _back(name: str) -> ResponseReturnValue:
    return redirect(url_for("attribute.manage", name=name, _anchor="h-queues"))
