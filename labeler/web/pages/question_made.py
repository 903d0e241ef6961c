"""What follows a new question: its experts are asked, its chosen images queued, and one box says what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, url_for

from attune.labeler.answers import ingest
from attune.labeler.attributes import attributes
from attune.labeler.people import invite
from attune.labeler.queues import chosen_first, pinned, queues
from attune.labeler.queues.chosen_first import Kept
from attune.labeler.records.session import reading
from attune.labeler.views import people as view
from attune.labeler.web import auth
from attune.models.errors import DataError, UnknownExpert
from attune.models.text import plural


def follow(name: str, experts: Sequence[str], picks: Sequence[str]) -> None:
    """Ask ``experts`` (addresses), put ``picks`` first in the queues, now or when these are there, and say so.

    The picks wait with the question already (`chosen_first.put_with`).
    """
    joining = _ask(name, experts)
    with reading(auth.settings()) as session:
        answering = queues.experts_without_queue(session, attributes.find(session, name))
    sent = pinned.send(auth.settings(), name, picks, auth.viewer().name) if picks and answering else None
    if picks and (joining or not answering):
        chosen_first.keep(auth.settings(), name, Kept(list(picks), auth.viewer().name, joining))
    elif picks:
        chosen_first.drop(auth.settings(), name)
    if not joining and not answering:
        waits = f" {_chosen(picks)} wait{'s' * (len(picks) == 1)} for the first queue." if picks else ""
        text = f"The question is created. Nobody answers it yet.{waits}"
        flash({"text": text, "label": "Add expert", "href": url_for("people.new", attributes=name)}, "success")  # type: ignore[arg-type]
        return
    first = f" Chosen images: {sent.sentence()}" if sent else ""
    if picks and joining:
        first += f" {_chosen(picks)} come{'s' * (len(picks) == 1)} first in the new queues."
    flash(f"The question is created.{first}", "success")  # its page says what comes next


def _chosen(picks: Sequence[str]) -> str:
    return f"Your {plural(len(picks), 'chosen image')}" if len(picks) > 1 else "Your chosen image"


def _ask(name: str, experts: Sequence[str]) -> list[str]:
    """Have a queue made for each of ``experts``; the addresses of those who get one."""
    joining = []
    for email in experts:
        try:
            joining.append(invite.invite(auth.settings(), email, [name], may=_check, only_there=True).email)
        except (UnknownExpert, DataError) as error:
            flash(str(error), "danger")
    ingest.ask_to_learn(auth.settings(), name)
    return joining


def _check(role: str | None) -> None:
    if not view.may_manage(auth.viewer(), role):
        raise DataError(view.OWNERS_LIMIT)
