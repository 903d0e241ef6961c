"""What every answer has in common: a request id, headers that shut doors, one line in the log, errors as help pages."""

from __future__ import annotations

import logging
import re
import secrets
import time
from urllib.parse import quote

from flask import Flask, Response, g, has_request_context, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from attune.labeler.jobs import failures
from attune.models.errors import AttuneError, BadWebhookSecret, ServiceDown, consequence

log = logging.getLogger("attune.web")
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
# Pages draw with the console's own files alone: nothing inline, no other origin; `data:` is for Bootstrap's icons.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")
PRIVATE = "no-store"
INTERRUPTED = "The records' database interrupted this request. Try again in a moment."
LOOK_FIRST = "What you asked for may have been done: look first, and do it again only if it was not."
PERHAPS_DONE = f"The records' database interrupted this request. {LOOK_FIRST}"
NO_ANSWER = (
    "The records' database does not answer. Try again in a minute. If it still does not, tell an admin, who can test "
    "each service with `attune doctor`."
)
READS = frozenset({"GET", "HEAD", "OPTIONS"})
PASSING = frozenset({"40001", "40P01"})  # PostgreSQL breaks what waits in a circle, by refusing one of both
MESSAGES = {
    404: "This page does not exist. The URL is wrong, or the page was removed.",
    405: "This URL does not accept this HTTP method. Go back and use the buttons of the page.",
    413: "The upload is larger than this page accepts.",
    429: "Too many failed tries. Wait 5 minutes, then try again.",
}
QUIET = frozenset({"static", "bootstrap.static", "health.alive", "health.ready", "metrics.page", "attribute.live"})

SECRET_PATHS = ("/media/", "/welcome/")  # what follows opens something by itself, also where it was mistyped


def init_app(app: Flask) -> None:
    """Give every answer of ``app`` its id, headers and log line, and errors their pages."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(AttuneError, _attune_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DBAPIError, _records_failed)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Whether a machine asks: the API, the webhook, or the person who prefers JSON to HTML."""
    if request.path.startswith(("/api/", "/webhooks/")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()


def _finish(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-ID"] = g.get("request_id", "")
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = PRIVATE
    level = logging.DEBUG if request.endpoint in QUIET and response.status_code < 400 else logging.INFO
    log.log(level, "%s %s %s %.0f ms %s", request.method, _place(), response.status_code, _milliseconds(), _name())
    return response


def _place() -> str:
    """The path for the log, on one line whatever was sent; of one that opens something by itself only its beginning."""
    for beginning in SECRET_PATHS:
        if request.path.startswith(beginning):
            return f"{beginning}…"
    return quote(request.path, safe="/:@!$&'()*+,;=")


def _milliseconds() -> float:
    return (time.perf_counter() - g.began) * 1000 if "began" in g else 0.0


def _name() -> str:
    return g.viewer.name if "viewer" in g else "-"


def _attune_error(error: AttuneError) -> ResponseReturnValue:
    status = consequence(type(error)).status
    if status >= 500:
        log.warning("%s: %s", type(error).__name__, error)
    message = "The secret of the webhook is wrong." if isinstance(error, BadWebhookSecret) else str(error)
    if failures.is_program_text(message):
        log.error("%s: %s", type(error).__name__, error)
        message = failures.of_request(g.get("request_id", ""))
    return _reply(status, type(error).__name__, message)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    if isinstance(error, CSRFError):
        message = gettext(
            "The form has expired, or came from another site. Load the page again, then send the form again."
        )
    else:
        message = _own_words(error) or MESSAGES.get(status) or error.name
    reply = _reply(status, error.name, message)
    for name, value in error.get_headers():
        if name in {"Retry-After", "Allow", "Location", "Content-Range"}:
            reply.headers[name] = value
    if status == 401:
        reply.headers["WWW-Authenticate"] = 'Bearer realm="Attune"'
    return reply


def _own_words(error: HTTPException) -> str | None:
    """What our code said when it raised the error; werkzeug's stock sentence does not count."""
    return error.description if error.description != type(error).description else None


def _records_failed(error: DBAPIError) -> ResponseReturnValue:
    """The database is away, or ended the connection, as at a restart, or the transaction, which waited in a circle: no
    fault of the page's, so that the log needs no trace. A transaction was taken back; a connection may have ended after
    a commit, and where none could be made an earlier one of the request's may have been used. A commit that failed, as
    on a full disk, names no statement either, but its error has a state, or is SQLite's.
    """
    state = getattr(error.orig, "sqlstate", "")
    taken_back = state in PASSING
    none_made = isinstance(error, OperationalError) and error.statement is None and state is None
    away = none_made and not error.connection_invalidated
    if not error.connection_invalidated and not taken_back and not away:
        return _unexpected(error)
    again = taken_back or request.method in READS
    if away:
        why = str(error.orig).partition("\n")[0]
        log.warning("the records' database does not answer: %s %s: %s", request.method, _place(), why)
        message = NO_ANSWER if again else f"{NO_ANSWER} {LOOK_FIRST}"
    else:
        log.warning("interrupted by the records' database: %s %s", request.method, _place())
        message = INTERRUPTED if again else PERHAPS_DONE
    if not taken_back:  # the next connection may not be made either
        _go_on_as_nobody()
    reply = _reply(consequence(ServiceDown).status, ServiceDown.__name__, message)
    if again:
        reply.headers["Retry-After"] = "1"
    return reply


def _go_on_as_nobody() -> None:
    """Let the rest of the page ask the records nothing, of who looks at it or what waits for them."""
    g.pop("viewer", None)
    g._login_user = AnonymousUserMixin()  # where flask_login keeps whom it looked up


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.exception("unexpected: %s %s", request.method, _place())
    return _reply(500, InternalServerError().name, failures.of_request(g.get("request_id", "")))


def _reply(status: int, name: str, message: str) -> Response:
    """The error as JSON for machines and as a page for people; both name the request, which the log has too."""
    if wants_json():
        response = jsonify(error=name, message=message, request=g.get("request_id", ""))
    else:
        shown = _without_commands(message) if status == 404 else message
        response = Response(render_template("error.html", status=status, message=shown), mimetype="text/html")
    response.status_code = status
    return response


def _without_commands(message: str) -> str:
    """``message`` without the sentences that name a command: the reader of a page followed a link, in a browser."""
    kept = [one for one in SENTENCE.split(message) if "`attune " not in one]
    return " ".join(kept) or MESSAGES[404]


class RequestIds(logging.Filter):
    """Puts the request's id on every log line that is written while one is served."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; sets ``record.request``."""
        record.request = g.get("request_id", "-") if has_request_context() else "-"
        return True
