"""Where a request comes from, in words that its person recognises: "Firefox on Windows"."""

from __future__ import annotations

from flask import request

from attune.labeler.people.login_sessions import Origin

# In this order: each browser also names those that it descends from.
BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "FxiOS": "Firefox", "CriOS": "Chrome"}
BROWSERS |= {"Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {"iPhone": "an iPhone", "iPad": "an iPad", "Android": "Android", "Windows": "Windows", "Mac OS": "a Mac"}
SYSTEMS |= {"CrOS": "a Chromebook", "Linux": "Linux"}
UNKNOWN = "another browser"


def here() -> Origin:
    """The origin of this request."""
    return Origin(request.remote_addr or "", in_words(request.user_agent.string))


def in_words(user_agent: str) -> str:
    """The browser and its system, as far as the header (which anyone can write) says."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), UNKNOWN)
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
