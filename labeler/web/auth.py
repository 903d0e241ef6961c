"""Who is asking: a browser by its session, a machine by its bearer token; everyone else is shown the door."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden, Unauthorized

from attune.labeler.people import login_sessions, tokens, users
from attune.labeler.people.users import Entered, Person
from attune.labeler.people.viewer import Viewer
from attune.labeler.settings import Settings
from attune.labeler.web import access
from attune.labeler.web.replies import SECRET_PATHS, wants_json

log = logging.getLogger("attune.web")
csrf = CSRFProtect()
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Session(UserMixin):
    """A person as Flask-Login keeps them: the signed cookie holds the key of a session that the records can end."""

    def __init__(self, person: Person, key: str) -> None:
        self.person, self.key = person, key

    def get_id(self) -> str:
        """What the signed cookie holds."""
        return self.key


def init_app(app: Flask) -> None:
    """Guard every endpoint of ``app``."""
    manager = LoginManager(app)
    manager.user_loader(_person_of)
    csrf.init_app(app)
    app.before_request(guard)


def settings() -> Settings:
    """The settings of the app that serves this request."""
    found: Settings = current_app.extensions["attune"].settings
    return found


def viewer() -> Viewer:
    """Who asks; every endpoint that is not open has one."""
    found: Viewer = g.viewer
    return found


def begin(entered: Entered) -> None:
    """Let this browser in: by a new key, with nothing kept that was allowed to the person who sat here before."""
    end()
    login_user(Session(entered.person, entered.key))
    session.permanent = True


def end() -> None:
    """End this browser's session, in the records too: a copy of its cookie opens nothing from now on."""
    if key := key_here():
        login_sessions.end(settings(), key)
    logout_user()
    session.clear()


def key_here() -> str:
    """The key of this browser's session; empty for a machine and for the person who is not logged in."""
    return str(current_user.key) if current_user.is_authenticated else ""


def _person_of(key: str) -> Session | None:
    user = login_sessions.find(settings(), key)
    return Session(users.person(user), key) if user else None


def guard() -> ResponseReturnValue | None:
    """Let in whom the table of access lets in; the rest gets 401, 403, or the login page."""
    if access.is_open(request.endpoint):
        if request.endpoint in {"login.enter", "welcome.enter"} and request.method not in SAFE:
            csrf.protect()
        return None
    who, by_token = _who()
    if who is None:
        return _turn_away()
    g.viewer = who
    if not access.allowed(request.endpoint, who.role):
        raise Forbidden(
            f"The role {who.role} has no access to this page. {access.whom_to_ask(request.endpoint, who.role)}"
        )
    if request.method not in SAFE and not by_token:
        csrf.protect()
    return None


def _who() -> tuple[Viewer | None, bool]:
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer":
            return None, True
        bearer = tokens.bearer(settings(), current_app.extensions["attune"].secrets, text.strip())
        return (Viewer(bearer.role, bearer.name) if bearer else None), True
    if current_user.is_authenticated:
        person: Person = current_user.person
        return Viewer(person.role, person.email, person.expert_id, person.id), False
    return None, False


def _turn_away() -> ResponseReturnValue:
    if wants_json() or request.headers.get("Authorization"):
        raise Unauthorized("Log in, or send a valid API token as `Authorization: Bearer TOKEN`.")
    if request.method not in SAFE or request.path.startswith(SECRET_PATHS):
        return redirect(url_for("login.page"))
    return redirect(url_for("login.page", next=request.full_path.rstrip("?")))


def safe_next(address: str | None) -> str:
    """Where to go after the login: a path of this console, whatever the address bar says."""
    home = url_for("home.page")
    if not address or not address.startswith("/") or "\\" in address or any(ord(letter) < 32 for letter in address):
        return home
    parts = urlsplit(address)
    return home if parts.scheme or parts.netloc or address.startswith("//") else address
