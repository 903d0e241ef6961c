"""Slow down those who guess passwords: failed logins are counted per address of the network and per login."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

PER_NETWORK_ADDRESS = "30 per 5 minutes"
PER_LOGIN = "8 per 5 minutes"

limiter = Limiter(key_func=get_remote_address, default_limits=[], headers_enabled=False)


def init_app(app: Flask) -> None:
    """Count in this process's memory: the console is one process, and counts must not hang on Redis being there."""
    app.config.update(RATELIMIT_STORAGE_URI="memory://", RATELIMIT_HEADERS_ENABLED=False)
    limiter.init_app(app)


def login_name() -> str:
    """The login that is tried, so that many network addresses do not share one guess each."""
    return request.form.get("email", "").strip().casefold()


def failed(response: Response) -> bool:
    """Only failed logins count: a success redirects."""
    return response.status_code != 302


def refused(response: Response) -> bool:
    """Only links that open nothing count."""
    return response.status_code in {403, 410}
