"""Images in by browser: one piece of a file a request, then a page that tells what became of them.

For owners and admins who are logged in: what is sent waits for a worker, which looks at the login again, and a token
has none.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from attune.labeler.assets import uploads
from attune.labeler.performance import uploaded
from attune.labeler.views.uploads import progress
from attune.labeler.web import auth
from attune.labeler.web.sizes import PIECE_BYTES

blueprint = Blueprint("uploads", __name__, url_prefix="/assets/uploads")


@blueprint.url_value_preprocessor
def room_for_a_piece(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a piece of a file be larger than a form; asked before the guard looks for the proof against forgery."""
    if endpoint == "uploads.piece":
        request.max_content_length = PIECE_BYTES


@blueprint.before_request
def only_with_a_login() -> None:
    """Turn tokens away: nothing that a token asks for waits as a job."""
    if auth.viewer().user_id is None:
        raise Forbidden(
            "You sent a token. What is uploaded waits for a worker, and a token may be revoked in the meantime. Log in "
            "to upload images, or run the command: attune assets add PATH"
        )


def person() -> int:
    """The login that asks."""
    return auth.viewer().user_id or 0


@blueprint.post("")
def begin() -> ResponseReturnValue:
    """Open an upload: where its pieces go."""
    ticket = uploads.begin(auth.settings(), person())
    return jsonify(upload=url_for("uploads.page", ticket=ticket)), 201


@blueprint.get("/<ticket>/received")
def received(ticket: str) -> ResponseReturnValue:
    """How many bytes of each file are here, by its number: what a browser that was interrupted need not send again."""
    held = uploads.received(auth.settings(), person(), ticket)
    return jsonify(received={str(number): size for number, size in held.items()})


@blueprint.put("/<ticket>/<int:number>")
def piece(ticket: str, number: int) -> ResponseReturnValue:
    """Keep a piece of file ``number``: the body, from byte ``?offset=`` of ``?size=``; how many bytes are here now."""
    size, offset = (request.args.get(field, -1, int) for field in ("size", "offset"))
    name = request.args.get("name", "")
    held = uploads.add_piece(auth.settings(), person(), ticket, number, name, size, offset, request.get_data())
    return jsonify(received=held)


@blueprint.post("/<ticket>/finish")
def finish(ticket: str) -> ResponseReturnValue:
    """Have the ``count`` files taken in, once however often it is asked for; the page that shows how it goes.

    With ``restore``, images that were removed come back. A file ``for`` performance waits for its columns to be named.
    """
    if request.form.get("for") == uploaded.KIND:
        uploaded.part_of(auth.settings(), person(), ticket)
        return jsonify(page=url_for("performance.file", ticket=ticket))
    restore = "restore" in request.form
    uploads.finish(auth.settings(), person(), ticket, request.form.get("count", 0, int), restore)
    return jsonify(page=url_for("uploads.page", ticket=ticket))


@blueprint.post("/<ticket>/drop")
def drop(ticket: str) -> ResponseReturnValue:
    """Delete what was sent of an upload that is not finished."""
    uploads.drop(auth.settings(), person(), ticket)
    return jsonify(dropped=True)


@blueprint.get("/<ticket>")
def page(ticket: str) -> ResponseReturnValue:
    """What becomes of an upload, and its images."""
    settings = auth.settings()
    upload = progress(
        settings, auth.viewer(), ticket, uploads.kept_in(settings, ticket), request.args.get("page", 1, int)
    )
    return render_template("upload.html", upload=upload)
