"""The page in place of one whose figures a worker is still to measure, and who asks the worker."""

from __future__ import annotations

from flask import render_template

from attune.labeler.attributes import attributes
from attune.labeler.catalog.kept_review import Made
from attune.labeler.catalog.measure_review import rested
from attune.labeler.jobs.ask_once import ask_once
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.models.errors import ServiceDown
from attune.models.text import plural


def page(name: str, candidate: str, column: str = "", class_name: str = "") -> str:
    """That a worker measures run ``candidate``, and why not where it cannot."""
    error = _ask(name, candidate, column, class_name)
    with reading(auth.settings()) as session:
        question = attributes.find(session, name).question
    return render_template("review_waits.html", name=name, question=question, error=error)


def ask_anew(name: str, shown: int, made: Made | None, column: str = "", class_name: str = "", newest: int = 0) -> str:
    """Have a worker measure run ``shown`` again where its figures are of before the newest answer, or the run
    ``newest`` where that is a later one; what a reader should know of it, if anything."""
    if made is None or (made.stands and newest <= shown):
        return ""
    why = f"Version {newest} is newer and not measured yet." if newest > shown else made.old
    if not rested(made):
        return f"{why} Attune measures again in a few minutes. Reload the page then."
    error = _ask(name, str(max(newest, shown)), column, class_name)
    if error:
        return f"{why} It could not be measured. {error}"
    took = plural(max(1, round(made.seconds)), "second")
    return f"{why} A worker measures again, which takes about {took}. Reload the page then."


def _ask(name: str, candidate: str, column: str, class_name: str) -> str:
    """Why no worker measures it, if so."""
    try:
        found = {"candidate": candidate, "column": column, "class_name": class_name}
        return ask_once(auth.settings(), "review", name, **found) or ""
    except ServiceDown as down:
        return str(down)
