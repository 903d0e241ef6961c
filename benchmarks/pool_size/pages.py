"""Every page of the console for each role, asked for in this process and without a browser.

Pages are found in the console's own table of addresses, so that a new one is measured, too. ``same``: nothing has
changed since the last look; ``answered``: one more answer came in between. The first look at each page has
a row of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from attune.labeler.settings import Settings
from attune.labeler.web import access
from attune.labeler.web.app import create_app
from benchmarks.pool_size import answers, kept_figures
from benchmarks.pool_size.clock import Spent, figures, spent, watched
from benchmarks.pool_size.kept_figures import Row
from benchmarks.pool_size.pool import PASSWORD, QUESTION, asset_id

PEOPLE = {"expert": "ana@bench.example", "owner": "owner@bench.example", "admin": "admin@bench.example"}
NO_PAGES = ("static", "bootstrap", "health", "media", "login", "welcome")
LOOKED_AT = f"/attributes/{QUESTION}"
# Pages with more to show than their address alone leads to.
MORE = {
    "results.page by=*&sort=low": f"{LOOKED_AT}/results?by=*&sort=low",
    "results.page by=*&show=differ": f"{LOOKED_AT}/results?by=*&show=differ",
    "results.page title": f"{LOOKED_AT}/results?by=*&title=title-77",
    "attribute.answers page 40": f"{LOOKED_AT}/answers?page=40",
    "explore.page page 90": "/explore?page=90",
    "explore.page title": "/explore?title=title-77",
    "explore.page column": "/explore?column=genre&value=drama",
    "explore.page cluster": "/explore?at=cluster:1:3",
    "assets.page page 90": "/assets?page=90",
    "assets.page search": "/assets?q=title-77",
    "people.person": f"/people/person?email={PEOPLE['expert']}",
    "people.leave": f"/people/leave?email={PEOPLE['expert']}",
    "people.shut_page": f"/people/shut?email={PEOPLE['expert']}",
    "results.image": f"{LOOKED_AT}/results/image?id={asset_id(77)}",
}
LONGEST = 5.0  # seconds of the processor for the looks at one page in one way
FEWEST = 2


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in, and what they may open."""

    role: str
    client: FlaskClient
    pages: dict[str, str]


def measure(settings: Settings, version: int, rounds: int, roles: Sequence[str], only: str) -> dict[str, Any]:
    """Figures by role, page and way, of pages whose name has ``only`` in it, those that are kept already among them;
    pages that answered with something else than themselves are named apart."""
    app = create_app(settings)
    found: list[Row] = []
    for role in roles:
        person = Person(role, _entered(app, PEOPLE[role]), _pages(app, role, version))
        for name in filter(partial(re.search, only), person.pages):
            found += _rows(person, name, rounds, settings, answered=role != "admin" or "owner" not in roles)
    shown = [row for row in found if row.get("status", 200) == 200]
    return {"pages": shown, "not_shown": {kept_figures.key(row): row["status"] for row in found if row not in shown}}


def _rows(person: Person, name: str, rounds: int, settings: Settings, answered: bool) -> list[Row]:
    """The rows of one page; ``answered``: also with an answer before each look, unless none changes this page."""
    path, about = person.pages[name], {"role": person.role, "page": name}

    def row(way: str, measure: Callable[[], Row]) -> Row:
        return kept_figures.once(settings.workspace, about | {"way": way}, measure)

    found = [row("first", partial(_first, person.client, path))]
    if found[0]["status"] != 200:
        return found
    found.append(row("same", partial(_figures, person.client, path, rounds)))
    if answered and (QUESTION in path or path == "/"):
        found.append(row("answered", partial(_figures, person.client, path, max(FEWEST, rounds // 3), settings)))
    return found


def _first(client: FlaskClient, path: str) -> Row:
    """The first look, which may read what later ones find in memory."""
    status = [0]

    def look() -> None:
        status[0] = client.get(path, buffered=True).status_code

    with watched() as most:
        run = spent(look)
    return {**figures([run]), "mib": round(most[0]), "status": status[0]}


def _figures(client: FlaskClient, path: str, rounds: int, settings: Settings | None = None) -> Row:
    with watched() as most:
        looks = _looks(client, path, rounds, settings)
    return {**figures(looks), "mib": round(most[0])}


def _looks(client: FlaskClient, path: str, rounds: int, settings: Settings | None = None) -> list[Spent]:
    """Look at a page again and again; with ``settings`` one more answer comes before each look."""
    looks: list[Spent] = []
    while len(looks) < rounds and (len(looks) < FEWEST or sum(look.processor for look in looks) < LONGEST):
        if settings is not None:
            answers.one_more(settings)
        looks.append(spent(lambda: client.get(path, buffered=True)))
    return looks


def _entered(app: Flask, email: str) -> FlaskClient:
    client = app.test_client()
    token = client.get("/login").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    reply = client.post("/login", data={"email": email, "password": PASSWORD, "csrf_token": token})
    assert reply.status_code == 302, reply.status_code
    return client


def _pages(app: Flask, role: str, version: int) -> dict[str, str]:
    known: dict[str, object] = {
        "name": QUESTION, "version": version, "annotation": 1, "image": 1, "run": 1, "number": 1, "ref": "champion",
    }  # fmt: skip
    bound = app.url_map.bind("localhost")
    rules = [rule for rule in app.url_map.iter_rules() if _is_page(rule, role) and rule.arguments <= known.keys()]
    found = {
        rule.endpoint: bound.build(rule.endpoint, {name: known[name] for name in rule.arguments}) for rule in rules
    }
    more = {name: path for name, path in MORE.items() if access.allowed(name.split()[0], role)}
    return found | more


def _is_page(rule: Rule, role: str) -> bool:
    room = rule.endpoint.partition(".")[0]
    return "GET" in (rule.methods or ()) and room not in NO_PAGES and access.allowed(rule.endpoint, role)
