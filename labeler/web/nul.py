"""A NUL character in an address or a field is refused at once: PostgreSQL keeps and compares none."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import BadRequest


def init_app(app: Flask) -> None:
    """Look at every request that may be answered at all: after the guard, which reads no body of a stranger's."""
    app.before_request(_refuse)


def _refuse() -> None:
    fields = (text for pair in request.values.items(multi=True) for text in pair)
    if "\0" in request.path or any("\0" in text for text in fields):
        raise BadRequest("The address or a field contains a NUL character. Remove it and try again.")
