"""The factory: settings, extensions, then the rooms of the console one by one."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from functools import partial

from flask import Flask
from flask_bootstrap import Bootstrap5
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from attune.labeler.notices import link_mail
from attune.labeler.people import login_sessions
from attune.labeler.records.session import migrate
from attune.labeler.settings import Settings
from attune.labeler.settings import secrets as keys
from attune.labeler.settings.secrets import Secrets
from attune.labeler.web import (
    auth,
    filters,
    health,
    languages,
    logged_requests,
    media,
    metrics,
    next_steps,
    nul,
    replies,
    single_sign_on,
    sizes,
    space_names,
    tabs,
    throttle,
    title_names,
    traced_requests,
    webhook,
    words,
)
from attune.labeler.web.pages import (
    account,
    assets,
    attribute,
    attribute_form,
    beside,
    chosen,
    clusters,
    correct,
    duplicates,
    exchange,
    explore,
    features,
    goes_with,
    grid,
    home,
    insights,
    jobs,
    label,
    label_errors,
    login,
    map,
    measuring,
    members,
    moves,
    notices,
    people,
    performance,
    question,
    queues,
    recommend,
    results,
    review,
    revisions,
    scope,
    single,
    spaces,
    threads,
    titles,
    tokens,
    uploads,
    versions,
    welcome,
)

ROOMS = (
    health,
    metrics,
    webhook,
    media,
    login,
    single,
    welcome,
    account,
    home,
    attribute,
    attribute_form,
    correct,
    question,
    results,
    measuring,
    queues,
    exchange,
    explore,
    clusters,
    beside,
    spaces,
    map,
    duplicates,
    recommend,
    features,
    goes_with,
    insights,
    performance,
    titles,
    members,
    chosen,
    grid,
    label,
    label_errors,
    review,
    revisions,
    scope,
    threads,
    moves,
    versions,
    people,
    tokens,
    assets,
    uploads,
    jobs,
    notices,
)


@dataclass(frozen=True)
class Attune:
    """What the app carries with it: ``app.extensions["attune"]``."""

    settings: Settings
    secrets: Secrets


class Key(IntegerConverter):
    """A number in an address that a record can have; a larger one, which no database takes, is not found."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=2**31 - 1)


def create_app(settings: Settings) -> Flask:
    """The console over the workspace of ``settings``; brings the records to the newest schema first.

    Raises ServiceDown where the records do not open.
    """
    migrate(settings)
    app = Flask(__name__)
    if settings.proxies:  # with none, a visitor could give any address as their own, and guess passwords from each
        believed = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)
        app.wsgi_app = believed  # type: ignore[method-assign]
    app.url_map.converters["int"] = Key
    secrets = keys.load(settings.secrets)
    app.extensions["attune"] = Attune(settings, secrets)
    app.config.update(
        SECRET_KEY=secrets.session_key,
        # Cookies are shared by all ports of a host: Label Studio's `sessionid` and `csrftoken` must not be ours.
        SESSION_COOKIE_NAME="attune_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.web_address.startswith("https:"),
        PERMANENT_SESSION_LIFETIME=login_sessions.LIFETIME,
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=sizes.FORM_BYTES,
        WTF_CSRF_CHECK_DEFAULT=False,  # the guard checks, as bearer tokens need no such proof
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    Bootstrap5(app)
    replies.init_app(app)
    traced_requests.init_app(app)
    metrics.init_app(app, settings)
    logged_requests.init_app(app, settings)
    auth.init_app(app)
    nul.init_app(app)
    throttle.init_app(app)
    single_sign_on.init_app(app, settings)
    filters.init_app(app)
    languages.init_app(app)
    tabs.init_app(app)
    next_steps.init_app(app)
    app.jinja_env.globals["mail_is_set"] = partial(link_mail.is_set_up, settings)
    words.init_app(app)
    title_names.init_app(app)
    space_names.init_app(app)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    if importlib.util.find_spec("attune.labeler.web.api"):
        app.register_blueprint(importlib.import_module("attune.labeler.web.api").blueprint)
    return app
