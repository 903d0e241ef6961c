"""The thread of a disputed image: read it, write in it, and make a revision of what was agreed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from attune.labeler.answers import threads
from attune.labeler.attributes import agreed
from attune.labeler.views.threads import thread_page
from attune.labeler.web import auth
from attune.models.errors import AlreadyThere, DataError

blueprint = Blueprint("threads", __name__, url_prefix="/attributes/<name>/contested/<int:image>")


@blueprint.get("")
def page(name: str, image: int) -> ResponseReturnValue:
    """The image, who said what, and the comments."""
    return _page(name, image)


@blueprint.post("")
def write(name: str, image: int) -> ResponseReturnValue:
    """Add a comment; where it cannot be kept, the page again with what was written."""
    text = request.form.get("text", "")
    try:
        threads.write(auth.settings(), auth.viewer(), name, image, text)
    except DataError as error:
        return _page(name, image, text, str(error)), 422
    return redirect(url_for("threads.page", name=name, image=image, _anchor="comments"))


@blueprint.post("/comments/<int:comment>/delete")
def delete(name: str, image: int, comment: int) -> ResponseReturnValue:
    """Delete one's own comment."""
    if not threads.delete(auth.settings(), auth.viewer(), name, image, comment):
        raise NotFound("This comment is not yours, or it was deleted. Each person can delete their own comments only.")
    flash("The comment is deleted.", "success")
    return redirect(url_for("threads.page", name=name, image=image, _anchor="comments"))


@blueprint.get("/revision")
def look(name: str, image: int) -> ResponseReturnValue:
    """What a revision would add and do; ``comment`` is the one whose text is the sentence, ``place`` where it goes."""
    place, sentence = request.args.get("place", agreed.DEFINITION), ""
    if chosen := request.args.get("comment", 0, int):
        lines = thread_page(auth.settings(), auth.viewer(), name, image).lines
        sentence = next((line.text for line in lines if line.id == chosen), "")
    return _revision_page(name, image, place, sentence)


@blueprint.post("/revision")
def revise(name: str, image: int) -> ResponseReturnValue:
    """Make the revision that was shown; or show what it would do now, where the form was changed."""
    place, sentence = request.form.get("place", ""), request.form.get("sentence", "")
    seen = (request.form.get("place_seen", ""), request.form.get("sentence_seen", ""))
    if request.form.get("step") == "look" or seen != (place, _line(sentence)):
        return _revision_page(name, image, place, sentence)
    revision = request.form.get("revision", 0, int)
    try:
        made = agreed.add(auth.settings(), auth.viewer(), name, image, place, sentence, revision)
    except (DataError, AlreadyThere) as error:
        return _revision_page(name, image, place, sentence, _told(error))
    flash(f"Revision {made} is created. All answers stay valid. Experts now read the new text.", "success")
    return redirect(url_for("threads.page", name=name, image=image, _anchor="comments"))


def _page(name: str, image: int, text: str = "", error: str = "") -> str:
    found = thread_page(auth.settings(), auth.viewer(), name, image)
    return render_template("thread.html", page=found, text=text, error=error, longest=threads.LONGEST)


def _revision_page(name: str, image: int, place: str, sentence: str, error: str = "") -> ResponseReturnValue:
    settings, viewer = auth.settings(), auth.viewer()
    found, effect = thread_page(settings, viewer, name, image), None
    try:
        effect = agreed.preview(settings, viewer, name, image, place, sentence)
    except DataError as wrong:
        error = error or (_told(wrong) if request.method == "POST" else "")  # the form has not been filled in yet
    page = render_template(
        "thread_revision.html", page=found, place=place, sentence=_line(sentence), effect=effect, error=error,
        places=agreed.PLACES, longest=threads.LONGEST,
    )  # fmt: skip
    return page, 422 if error else 200


def _line(text: str) -> str:
    """A sentence has no lines."""
    return " ".join(text.split())


def _told(error: Exception) -> str:
    """What is wrong, without the name of the field."""
    field, found, said = str(error).partition(": ")
    return said[:1].upper() + said[1:] if found and field in ("place", "sentence", "definition") else str(error)
