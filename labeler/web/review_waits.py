"""The page in place of one whose figures a worker is still to measure, and who asks the worker."""

from __future__ import annotations

from contextlib import suppress

from flask import render_template

from attune.labeler.attributes import attributes
from attune.labeler.catalog import ask_review
from attune.labeler.catalog.kept_review import Made
from attune.labeler.catalog.measure_review import rested
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.models.errors import ServiceDown


def page(name: str, candidate: str, column: str = "", class_name: str = "") -> str:
    """That a worker measures run ``candidate``, and why not where it cannot."""
    try:
        error = ask_review.ask(auth.settings(), name, candidate, column, class_name)
    except ServiceDown as down:
        error = str(down)
    with reading(auth.settings()) as session:
        question = attributes.find(session, name).question
    return render_template("review_waits.html", name=name, question=question, error=error)


def ask_anew(name: str, candidate: int, made: Made | None) -> bool:
    """Have a worker measure a run again where its figures are older than the newest answer; whether they are."""
    if made is None or made.stands:
        return False
    if rested(made):
        with suppress(ServiceDown):  # the page has figures, though older ones
            ask_review.ask(auth.settings(), name, str(candidate))
    return True
