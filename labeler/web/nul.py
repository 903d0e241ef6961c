"""A NUL character in an address or a field is refused at once: PostgreSQL keeps and compares none."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import BadRequest

FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def init_app(app: Flask) -> None:
    """Look at every request that may be answered at all: after the guard, which reads no body of a stranger's."""
    app.before_request(_refuse)


def _refuse() -> None:
    if request.blueprint == "webhook":  # asks for its secret first, and reads its body within a limit of its own
        return
    sent = [request.args, *([request.form] if request.mimetype in FORMS else [])]
    fields = (text for values in sent for pair in values.items(multi=True) for text in pair)
    if "\0" in request.path or any("\0" in text for text in fields):
        raise BadRequest("The address or a field contains a NUL character. Remove it and try again.")
