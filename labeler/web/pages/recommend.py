"""Recommend: paste or upload what somebody watched, and see titles for them with the reason; nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from attune.labeler.recommend import histories
from attune.labeler.recommend.recommending import ForViewer, Recommended, recommend
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.views.pictures import PageImage, picture
from attune.labeler.web import auth
from attune.models.errors import AttuneError, DataError
from attune.models.recommend import history_rows
from attune.models.recommend.history_rows import ReadHistory

blueprint = Blueprint("recommend", __name__, url_prefix="/explore/recommend")
TOP = 12
HISTORY_BYTES = 4 * 2**20
MOST_VIEWERS = 5  # of an uploaded file; a command serves more


@dataclass(frozen=True)
class Shown:
    """What the page shows: the result, an image for each title in it, and the rows that were left out."""

    found: Recommended
    pictures: dict[str, PageImage]
    left_out: dict[str, int]
    more: int


@blueprint.url_value_preprocessor
def _room_for_a_history(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A history may be larger than a form."""
    if endpoint == "recommend.show":
        request.max_content_length = HISTORY_BYTES


@blueprint.get("")
def page() -> ResponseReturnValue:
    """An empty form."""
    return render_template("explore_recommend.html", shown=None, pasted="", new_only=False, error="")


@blueprint.post("")
def show() -> ResponseReturnValue:
    """Titles for the viewers of the history that was sent."""
    pasted, new_only = request.form.get("titles", ""), bool(request.form.get("new_only"))
    shown, said = None, ""
    try:
        shown = _shown(_read(pasted), new_only)
    except AttuneError as error:
        said = str(error)
    page_text = render_template(
        "explore_recommend.html", shown=shown, pasted=pasted, new_only=new_only, error=said, one=history_rows.ONE
    )
    return page_text, 422 if said else 200


def _read(pasted: str) -> ReadHistory:
    """The uploaded file, or the pasted titles, one on a line. Raises DataError where nothing can be used."""
    upload = request.files.get("history")
    content = upload.read() if upload else b""
    if upload:
        upload.close()  # a large one came as a temporary file, and a history is nobody's to keep
    with reading(auth.settings()) as session:
        titles = histories.titles_by_id(session)
    if content:
        read = history_rows.read(content, titles)
    else:
        lines = [line.strip() for line in pasted.splitlines() if line.strip()]
        read = history_rows.of_cells([("", {"user": history_rows.ONE, "id": line}) for line in lines], titles)
    if not read.rows:
        why = " ".join(f"{count} left out: {reason}." for reason, count in read.left_out.items())
        raise DataError(f"No title can be used. {why} Give ids of titles or images of the pool, one on a line.")
    return read


def _shown(read: ReadHistory, new_only: bool) -> Shown:
    users = list(read.by_user())
    few = ReadHistory([row for row in read.rows if row.user in users[:MOST_VIEWERS]], read.left_out)
    found = recommend(auth.settings(), few, TOP, new_only)
    names = {name for viewer in found.viewers for name in _titles(viewer)}
    with reading(auth.settings()) as session:
        rows = session.scalars(select(Asset).where(Asset.title_id.in_(names), Asset.removed_at.is_(None)))
        pictures = {row.title_id: picture(row) for row in rows.all()[::-1]}
    return Shown(found, pictures, dict(read.left_out), len(users) - MOST_VIEWERS)


def _titles(viewer: ForViewer) -> list[str]:
    """Every title that the page shows of a viewer."""
    suggestions = [*viewer.titles, *viewer.popular, *viewer.item_knn]
    return [name for one in suggestions for name in (one.title_id, *one.because)]
