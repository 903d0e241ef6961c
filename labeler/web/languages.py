"""The language of the labelling pages: the person's own choice, else the browser's, else English.

A language is a folder of `translations/` with a catalog of gettext. The rest of the console is in English.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel import Locale
from flask import Flask, Response, request
from flask_babel import Babel, get_locale

from attune.labeler.web import script_words

TRANSLATIONS = Path(__file__).parent / "translations"
SOURCE = "en"  # of the words in the code
COOKIE = "attune_language"
YEAR = 365 * 24 * 3600  # seconds
ROOMS = frozenset({"label", "grid", "correct", "scope"})  # blueprints whose words are translated


def init_app(app: Flask) -> None:
    """Make gettext known to the templates, with the language of each request."""
    Babel(app, default_translation_directories=str(TRANSLATIONS), locale_selector=_here)
    app.jinja_env.globals.update(
        language=language, languages=languages, chosen_language=chosen, outbox_words=script_words.outbox
    )


@cache
def languages() -> dict[str, str]:
    """Code -> the language's own name, English first."""
    found = sorted(path.parent.parent.name for path in TRANSLATIONS.glob("*/LC_MESSAGES/messages.mo"))
    return {code: Locale.parse(code).get_display_name(code) or code for code in (SOURCE, *found)}


def language() -> str:
    """What `<html lang>` says of this page."""
    return str(get_locale() or SOURCE).replace("_", "-")


def chosen() -> str:
    """The language that the person chose in this browser; empty where none is."""
    code = request.cookies.get(COOKIE, "")
    return code if code in languages() else ""


def choose(response: Response, code: str) -> None:
    """Have the browser remember ``code``; with any other text than a language's code, forget the choice."""
    if code in languages():
        safe = request.is_secure
        response.set_cookie(COOKIE, code, max_age=YEAR, secure=safe, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(COOKIE)


def _here() -> str:
    if request.blueprint not in ROOMS:
        return SOURCE
    return chosen() or request.accept_languages.best_match(languages(), SOURCE)
