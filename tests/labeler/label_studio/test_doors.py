"""Every route that Label Studio's own resolver lists, as an expert, a leaver and nobody: what opens, and what does not.

The list is the resolver's and the expectation the table's, so a route that a new release adds is asked here as well,
and must be shut. What was seen is written to test-results/label-studio-doors.md.

Thousands of requests take minutes over HTTP. So what must be shut is asked inside Label Studio's own Python, with
Django's test client and on the same database; what must open is asked over HTTP, and every address is asked in both
ways once.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from attune.labeler.label_studio import door, local
from attune.labeler.label_studio.client import LabelStudio
from tests.labeler.label_studio.asked_inside import Answer, Asked, ask_inside
from tests.labeler.label_studio.crowd import MINE, OTHERS, Holding, ask, holding, tokens
from tests.support.services import Services

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(900)]
SEEN = Path("test-results") / "label-studio-doors.md"
LEAVER = "leaver@example.org"
ALWAYS = ("HEAD", "OPTIONS")
OPEN, LOG_IN, SHUT = "open", "log in first", "shut"


@dataclass
class House:
    """One Label Studio for all these tests."""

    services: Services
    ls: LabelStudio
    mine: Holding
    others: Holding
    leaver: requests.Session
    kept: dict[str, str]
    rows: list[dict[str, Any]]
    table: dict[str, Any]
    lines: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def house(services: Services) -> Iterator[House]:
    settings = services.settings
    sys.path.insert(0, str(local.DJANGO_FOLDER))
    table = importlib.import_module("attune_doors").by_route()
    hook = f"http://127.0.0.1:{settings.web_port}/hook"
    with LabelStudio(settings.label_studio_address, services.token) as ls:
        mine, others, leaver = (holding(ls, email, hook) for email in (MINE, OTHERS, LEAVER))
        kept = tokens(services, LEAVER)
        door.end_access(ls, LEAVER)
        rows = services.inside.run("import attune_routes\nprint(json.dumps(attune_routes.routes()))")
        yield House(services, ls, mine, others, leaver.session._session, kept, rows, table)
    for one in (mine, others, leaver):
        one.session.close()


def test_the_resolver_lists_every_door_of_the_table(house: House) -> None:
    routes = {row["route"] for row in house.rows}
    assert len(routes) > 300
    assert set(house.table) <= routes, "a door of the table leads nowhere: Label Studio renamed its route"
    assert not [row["route"] for row in house.rows if row["reached"] is None], "an example address leads nowhere"
    assert {"^attune/door/?$", "^attune/members/?$", "^attune/logins/?$"} <= routes - set(house.table)


def test_an_expert_finds_open_what_the_table_names_and_nothing_else(house: House) -> None:
    walk(house, "expert, own ids", house.mine.session._session, house.mine)


def test_an_expert_opens_nothing_of_another_expert(house: House) -> None:
    """What the table does not name is shut with ids of one's own, whatever they are."""
    walk(house, "expert, another's ids", house.mine.session._session, house.others, named=True)


def test_a_leaver_with_the_old_cookie_is_nobody(house: House) -> None:
    walk(house, "leaver, old session", house.leaver, house.mine, named=True)


@pytest.mark.parametrize("kind", ["Token legacy", "Bearer access"])
def test_a_leaver_with_a_kept_token_opens_nothing(house: House, kind: str) -> None:
    scheme, name = kind.split()
    with requests.Session() as session:
        session.headers["Authorization"] = f"{scheme} {house.kept[name]}"
        walk(house, f"leaver, kept {name} token, reading", session, house.mine, token=True)


def test_nobody_finds_the_way_in_and_nothing_else(house: House) -> None:
    with requests.Session() as session:
        walk(house, "nobody", session, house.mine)


def test_an_address_says_the_same_over_http_as_inside(house: House) -> None:
    mine, session = house.mine, house.mine.session._session
    rows = [row for row in house.rows if row["route"] != "^logout/?$"]
    asked = [Asked("GET", filled(row, mine), query(mine), None) for row in rows]
    by_http = [Answer.of(ask(house.ls.address, session, "GET", one.path, params=one.query)) for one in asked]
    inside = ask_inside(house.services, session, asked)
    differ = [(one.path, there, here) for one, there, here in zip(asked, by_http, inside, strict=True) if there != here]
    assert not differ
    assert {verdict(here, one) for one, here in zip(asked, inside, strict=True)} == {OPEN, SHUT}


def walk(
    house: House, person: str, session: requests.Session, of: Holding, token: bool = False, named: bool = False
) -> None:
    """Ask every route with every method, and compare what opens with the table.

    ``named``: what the table does not name is asked with GET alone, as who owns it, or who asks, makes no difference:
    it is shut to an expert and to nobody with every method.
    """
    unexpected: list[str] = []
    seen: Counter[str] = Counter()
    opened: set[str] = set()
    over_http, inside = [], []
    for row in house.rows:
        for method in ("GET",) if token or (named and row["route"] not in house.table) else (*row["methods"], *ALWAYS):
            wanted = expected(house, row["reached"], method, person, of, token)
            asked = Asked(method, filled(row, of), query(of), body(method, of))
            (over_http if wanted == OPEN else inside).append((row["route"], wanted, asked))

    def compare(route: str, wanted: str, asked: Asked, answer: Answer) -> None:
        got = verdict(answer, asked)
        seen[got] += 1
        opened.update({f"{asked.method} {route}"} if got == OPEN else ())
        if got != wanted:
            unexpected.append(f"{asked.method} {asked.path}: {got}, expected {wanted}")

    answers = ask_inside(house.services, session, [asked for _, _, asked in inside])
    for (route, wanted, asked), answer in zip(inside, answers, strict=True):
        compare(route, wanted, asked, answer)
    for route, wanted, asked in over_http:
        reply = ask(house.ls.address, session, asked.method, asked.path, asked.body, params=asked.query)
        compare(route, wanted, asked, Answer.of(reply))
        if route == "^logout/?$" and person.startswith("expert"):
            log_in_again(house, session)
    note(person, seen, len(unexpected), opened)
    assert not unexpected, f"{len(unexpected)} unexpected:\n" + "\n".join(unexpected[:30])


def expected(house: House, route: str, method: str, person: str, of: Holding, token: bool) -> str:
    found = house.table.get(route)
    asked = "GET" if method == "HEAD" else method
    if found is None or asked not in found.methods:
        return LOG_IN if token else SHUT
    if route == "^logout/?$" and not person.startswith("expert"):
        return LOG_IN  # the view's own word to who is logged out already
    if found.who == "anyone" and found.answer != "console":
        return SHUT if found.body else OPEN  # the exchange of a token without a token
    if token or not person.startswith("expert"):
        return LOG_IN
    named = {*found.path.values(), *found.query.values()}
    foreign = of is not house.mine and any(check.startswith("own_") for check in named)
    return SHUT if foreign else OPEN


def verdict(answer: Answer, asked: Asked) -> str:
    """What an answer means: the guard says so in a header, as views refuse some things by themselves."""
    if answer.status == 302 and "/user/login/?next=" in answer.location:
        return LOG_IN
    by_django = not answer.by_guard and asked.method == "POST" and "/user/login/" in asked.path
    if answer.status in {401, 403} and not by_django:  # which refuses a form without its token on the way in
        return LOG_IN if answer.status == 401 else SHUT
    return OPEN


PLACES = (
    ("api/dm/views", "view"),
    ("annotations/{pk}", "annotation"),
    ("api/drafts", "draft"),
    ("tasks/", "task"),
    ("webhooks", "webhook"),
    ("users", "user"),
    ("projects/", "project"),
)


def filled(row: dict[str, Any], of: Holding) -> str:
    """The example address of a route with ids of ``of``."""
    example = str(row["example"])
    key = next((of.ids[name] for part, name in PLACES if part in example), 1)
    values = {
        "pk": key,
        "annotation_id": of.ids["annotation"],
        "task_id": of.ids["task"],
        "project_id": of.ids["project"],
        "user_pk": of.ids["user"],
        "path": "images/logo.svg",
        "action_id": "delete_tasks",
    }
    for name in {part.partition("}")[0] for part in example.split("{")[1:]}:
        example = example.replace("{" + name + "}", str(values.get(name, 1)))
    return example


def query(of: Holding) -> dict[str, Any]:
    return {"project": of.ids["project"], "view": of.ids["view"], "id": "next_task"}


def body(method: str, of: Holding) -> Any:
    if method not in {"POST", "PUT", "PATCH"}:
        return None
    return {"project": of.ids["project"], "result": [], "lead_time": 1.0}


def log_in_again(house: House, session: requests.Session) -> None:
    fresh = type(house.mine.session).login(house.ls.address, MINE, "a-long-password")
    session.cookies.clear()
    session.cookies.update(fresh._session.cookies)
    fresh.close()


def note(person: str, seen: Counter[str], unexpected: int, opened: set[str]) -> None:
    """Keep what was seen, a section a person."""
    SEEN.parent.mkdir(parents=True, exist_ok=True)
    mark = f"## {person}\n"
    before = SEEN.read_text() if SEEN.exists() else ""
    kept = "".join("## " + part for part in before.split("## ")[1:] if not ("## " + part).startswith(mark))
    counts = ", ".join(f"{seen[name]} {name}" for name in (OPEN, LOG_IN, SHUT))
    lines = "\n".join(f"- `{one}`" for one in sorted(opened))
    SEEN.write_text(f"{kept}{mark}{sum(seen.values())} requests: {counts}; {unexpected} unexpected. Open:\n{lines}\n\n")
