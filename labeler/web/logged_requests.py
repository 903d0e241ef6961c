"""Which requests go into the log of who saw and exported what (``people.access_log``)."""

from __future__ import annotations

from flask import Flask, Response, g, request

from attune.labeler.people import access_log
from attune.labeler.settings import Settings
from attune.labeler.web import media, throttle
from attune.models.clock import now

# The API's replies are data to take away; a page asks for its own notices every few seconds.
NO_EXPORT = frozenset({"api.notices"})


def init_app(app: Flask, settings: Settings) -> None:
    """Write a line for each such request to ``app``, unless the setting keeps none."""

    def answered(response: Response) -> Response:
        kind = _kind(response)
        if kind and "viewer" in g:
            access_log.write(settings, _entry(kind))
        return response

    if settings.access_log_days:
        app.after_request(answered)


def _kind(response: Response) -> str:
    if response.status_code == 403:
        return "refused"
    if not 200 <= response.status_code < 300:
        return ""
    attached = response.headers.get("Content-Disposition", "").startswith("attachment")
    by_api = request.blueprint == "api" and request.endpoint not in NO_EXPORT
    if attached or by_api:
        return "exported"
    return "saw" if media.shown() else ""


def _entry(kind: str) -> access_log.Entry:
    return access_log.Entry(
        at=now().isoformat(timespec="milliseconds"),
        who=g.viewer.name,
        role=g.viewer.role,
        network_address=throttle.network_address(),
        kind=kind,
        page=request.endpoint or "",
        path=request.full_path.rstrip("?")[: access_log.LONGEST],
        images=list(media.shown()),
    )
