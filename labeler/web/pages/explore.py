"""Explore: search the pool, and send what was found to the experts' queues."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.people.viewer import check_filter, check_space
from attune.labeler.queues import pinned
from attune.labeler.records.session import reading
from attune.labeler.spaces.spaces import FINAL
from attune.labeler.views.choosing import choosing
from attune.labeler.views.explore import IMAGE, LIKE, TEXT, ExploreRequest, Place, explore, name_columns, sending
from attune.labeler.web import auth
from attune.labeler.web.sizes import FORM_BYTES, IMAGE_BYTES
from attune.models.errors import DataError, RecordsError, UnreadableItem
from attune.models.images.decode import inspect
from attune.models.images.opening import DEEP_BYTES

blueprint = Blueprint("explore", __name__, url_prefix="/explore")
PATIENCE_SECONDS = 1.0  # a warm search is done by then, and the page comes whole
UPLOAD_PIXELS = 50_000_000  # some seconds and half a GB of a worker that others wait for
LONGEST = 300  # characters of any one field
FILTERS = ("title", "column", "value")
REMEMBERED = "explore_filter"  # in the session: it comes back when its person does
QUESTION = "explore_question"  # the question that chosen images were answered for last


@blueprint.url_value_preprocessor
def _room_for_an_image(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Only the upload may be larger than a form."""
    if endpoint == "explore.image":
        request.max_content_length = IMAGE_BYTES + FORM_BYTES


@blueprint.get("")
def page() -> ResponseReturnValue:
    """Images of the pool: all, or those that a text, an example or a cluster finds; without a search, within the
    filter that was used last."""
    if not request.args and session.get(REMEMBERED):
        return redirect(url_for("explore.page", **session[REMEMBERED]))
    if request.args.keys() & set(FILTERS):
        used = {name: value for name in FILTERS if (value := _field(name))}
        if used != session.get(REMEMBERED, {}):
            session[REMEMBERED] = used
    result = explore(auth.settings(), auth.viewer(), _request_state(), PATIENCE_SECONDS)
    meant = result.asked.attribute or session.get(QUESTION, "")
    bar = choosing(auth.settings(), auth.viewer(), meant)
    if bar is not None and bar.name and bar.name != session.get(QUESTION):
        session[QUESTION] = bar.name
    return render_template("explore.html", page=result, asked=result.asked, state=_state(result.asked), bar=bar)


def _request_state() -> ExploreRequest:
    """What the address says. A pressed button (``go``) wins over where one was (``at``), a text over nothing."""
    text = _field("q")
    place = Place.parse(_field("go") or _field("at") or (TEXT if text else ""))
    if place.kind == TEXT and not text:
        place = Place()
    for column in (_field("column"), _field("other")):
        check_filter(auth.viewer(), column)
    check_space(auth.viewer(), _field("space"))
    return ExploreRequest(
        place=place,
        text=text,
        title=_field("title"),
        column=_field("column"),
        value=_field("value"),
        page=request.args.get("page", 1, int),
        picks=_picks(request.args.getlist("pick")),
        attribute=_field("for"),
        space=_field("space") or (FINAL if _field("go").startswith(f"{LIKE}:") else ""),
        other=_field("other"),
    )


def _field(name: str) -> str:
    return request.values.get(name, "").strip()[:LONGEST]


def _picks(names: list[str]) -> list[str]:
    """The chosen images, each once, at most as many as a selection holds."""
    return list(dict.fromkeys(name[:255] for name in names))[: pinned.MOST]


def _state(request_state: ExploreRequest) -> dict[str, str]:
    """The address of this search, without its page and without the selection."""
    fields = {
        "at": str(request_state.place),
        "q": request_state.text,
        "title": request_state.title,
        "column": request_state.column,
        "value": request_state.value,
        "for": request_state.attribute,
        "space": request_state.space if request_state.place.kind == LIKE else "",
        "other": request_state.other if request_state.place.kind == LIKE else "",
    }
    return {name: value for name, value in fields.items() if value}


@blueprint.post("/image")
def image() -> ResponseReturnValue:
    """Search by an uploaded example: a worker embeds it, and no one keeps it."""
    upload = request.files.get("image")
    content = upload.read() if upload else b""
    if upload:
        upload.close()  # a large one came as a temporary file
    if not content:
        raise DataError("No file chosen. Choose an image: JPEG, PNG, WebP, GIF, TIFF or BMP.")
    settings = auth.settings()
    most = min(settings.max_pixels, UPLOAD_PIXELS)
    try:
        inspect(content, "the uploaded image", most, whole=False)
    except UnreadableItem as error:
        if error.reason != "too many pixels":
            raise
        raise DataError(
            f"The image has too many pixels for a search. At most {most:,} are allowed, or {most // DEEP_BYTES:,} if a "
            "channel has 16 or 32 bits. Make the image smaller, then choose it again."
        ) from error
    check_filter(auth.viewer(), _field("column"))
    token = search.store_upload(settings, content, auth.viewer().name)
    with reading(settings) as records:
        names = name_columns(records, auth.viewer(), _field("title"))
    query = Query(
        image=token, title=_field("title"), column=_field("column"), value=_field("value"), name_columns=names
    )  # fmt: skip
    state = {"at": f"{IMAGE}:{search.start(settings, query)}", "for": _field("for")}
    state |= {name: _field(name) for name in ("title", "column", "value")}
    return redirect(_address(state, _picks(request.form.getlist("pick"))))


def _address(state: dict[str, str], image_ids: list[str] | None = None) -> str:
    """Explore's address in ``state``, without what is empty."""
    held: dict[str, Any] = {name: value for name, value in state.items() if value}
    return url_for("explore.page", **held, pick=image_ids or [])


@blueprint.get("/send")
def sending_page() -> ResponseReturnValue:
    """A last look at the selection, and the choice of a queue."""
    request_state = _request_state()
    found = sending(auth.settings(), auth.viewer(), request_state.picks)
    return render_template("explore_send.html", found=found, asked=request_state, state=_state(request_state))


@blueprint.post("/send")
def send() -> ResponseReturnValue:
    """Put the selection into the queues."""
    viewer, form = auth.viewer(), request.form
    attribute, expert = form.get("attribute", ""), form.get("expert", "")
    selection = sending(auth.settings(), viewer, _picks(form.getlist("pick")))
    image_ids = [page_image.asset_id for page_image in selection.pictures]
    if not viewer.manages:
        if expert not in {"", viewer.name}:
            raise Forbidden("An expert can only send images to their own queue. For another queue, ask an owner.")
        expert = viewer.name
    try:
        done = pinned.send(auth.settings(), attribute, image_ids, viewer.name, expert or None, form.get("why", ""))
    # The person chosen has no queue for this question, or too much waits there: the selection stays.
    except (RecordsError, DataError) as error:
        request_state = replace(_request_state(), picks=image_ids, attribute=attribute)
        page_text = render_template(
            "explore_send.html", found=selection, asked=request_state, state=_state(request_state), error=str(error)
        )
        return page_text, 422
    flash(done.sentence(), "success")
    back = {name: form.get(name, "") for name in ("at", "q", "title", "column", "value")}
    return redirect(_address({**back, "for": attribute}))
