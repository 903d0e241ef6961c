"""One span a request, under the pattern of its address: the address itself may name an image, a title or a person."""

from __future__ import annotations

from contextlib import ExitStack

from flask import Flask, Response, g, request

from attune.labeler.traces import spans


def init_app(app: Flask) -> None:
    """Open a span before each request of ``app``, and close it after its answer; nothing while traces are off."""
    if spans.is_on():
        app.before_request(_open)
        app.after_request(_tell)
        app.teardown_request(_close)


def _open() -> None:
    place = request.url_rule.rule if request.url_rule else "no such page"
    facts = {"http.request.method": request.method, "http.route": place, "attune.request": g.request_id}
    g.traced = ExitStack()
    g.tell = g.traced.enter_context(spans.span(f"{request.method} {place}", None, **facts))


def _tell(response: Response) -> Response:
    if "tell" in g:
        g.tell("http.response.status_code", response.status_code)
    return response


def _close(error: BaseException | None) -> None:
    if "traced" in g:
        g.pop("traced").close()
