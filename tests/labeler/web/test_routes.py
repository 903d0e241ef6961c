"""Every route of the console, by every caller, with every method: who gets in, and that a refusal changes nothing.

Requests carry a valid proof against forgery and the ids of rows that belong to somebody else, so that a refusal is the
table's doing and no accident of an empty form. Callers who may enter send no proof where one is due: being asked for it
is being let in, and nothing is done.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from attune.labeler.people import login_links, tokens
from attune.labeler.records.schema import Annotation, Base, Expert, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.web import replies
from attune.labeler.web.app import create_app
from tests.labeler.web import routes
from tests.labeler.web.conftest import TOKEN, Actor
from tests.labeler.web.routes import ADMIN, CALLERS, EXPERT, LEAVER, NOBODY, OWNER, OWNER_TOKEN, PIPELINE, PROOF
from tests.support import factories

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
NOT_OURS = "came from another site"
TOKENS = (PIPELINE, OWNER_TOKEN)
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class House:
    """A console over a workspace in full swing, its callers, and what belongs to somebody else."""

    app: Flask
    settings: Settings
    callers: dict[str, Actor]
    forged: dict[str, str]  # a valid proof against forgery by caller
    values: dict[str, object]
    form: dict[str, str]
    link: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> House:
    settings = factories.workspace(tmp_path_factory.mktemp("routes"), redis_url=redis_url)
    factories.add_studio(settings, images=False)
    app = create_app(settings)
    with reading(settings) as session:
        experts = {one.name: one for one in session.scalars(select(Expert))}
        theirs = session.scalars(select(Annotation).where(Annotation.expert_id == experts["Bo"].id)).first()
        version = session.scalars(select(Version)).one().version
    assert theirs is not None
    for name, role, expert in (
        ("ana", "expert", experts["Ana"]), ("bo", "expert", experts["Bo"]), ("chidi", "expert", experts["Chidi"]),
        ("olga", "owner", None), ("otto", "owner", None), ("root", "admin", None),
    ):  # fmt: skip
        factories.add_user(settings, f"{name}@example.org", role, expert)
    link = login_links.make(settings, "chidi@example.org")
    emails = {LEAVER: "chidi", EXPERT: "ana", OWNER: "olga", ADMIN: "root"}
    callers = {caller: Actor(app, f"{name}@example.org") for caller, name in emails.items()} | {NOBODY: Actor(app)}
    forged = {caller: proof(callers[caller], "/account") for caller in emails}
    forged[NOBODY] = proof(callers[NOBODY], "/login")
    for caller, role in ((PIPELINE, "pipeline"), (OWNER_TOKEN, "owner")):
        callers[caller] = Actor(app)
        text = tokens.issue(settings, caller, role)
        callers[caller].client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    left = callers[ADMIN].send("/people/leave", form="/account", email="chidi@example.org", answers="keep")
    assert left.status_code == 302
    values = {
        "name": "serious-expression", "version": version, "ref": version, "file": "card.md", "annotation": theirs.id,
        "notice": 1, "job": "publish-1", "token": "forged", "text": "forged", "filename": "theme.css",
        "ticket": "0" * 32, "number": 0, "insight": 0, "run": 1, "space": "taste", "digest": "0" * 64,
        "image": theirs.asset_pk, "comment": 1, "decision": 1, "title": "no-title",
    }  # fmt: skip
    form = {
        "email": "bo@example.org", "role": "admin", "password": "a guess", "answers": "drop", "name": PIPELINE,
        "attribute": "serious-expression", "attributes": "serious-expression", "reason": "because", "version": "1",
    }  # fmt: skip
    return House(app, settings, callers, forged, values, form, link)


def proof(actor: Actor, page: str) -> str:
    """What the hidden field of a page's forms holds."""
    found = TOKEN.search(actor.get(page).text)
    assert found
    return found.group(1)


def address(house: House, rule: Rule) -> str:
    """Where a route leads, with ids of other people's rows."""
    values = {name: house.values[name] for name in rule.arguments}
    values |= {"filename": "css/bootstrap.min.css"} if rule.endpoint == "bootstrap.static" else {}
    method = next(iter(rule.methods or ()))
    return house.app.url_map.bind("localhost").build(rule.endpoint, values, method=method)


def ask(house: House, caller: str, method: str, path: str, may: bool) -> TestResponse:
    """One request; with a proof against forgery, and with something to do, where the caller should be refused."""
    data: dict[str, Any] = {}
    if method in UNSAFE and not may:
        data = house.form | ({"csrf_token": house.forged[caller]} if caller in house.forged else {})
    return house.callers[caller].client.open(path, method=method, data=data or None, buffered=True)


def entered(reply: TestResponse, by_proof: bool = False) -> bool:
    """Whether the caller got past the door; ``by_proof``: past one that only a password, a link or the like opens."""
    to_login = reply.status_code == 302 and reply.location.startswith("/login")
    return not to_login and (reply.status_code < 400 if by_proof else reply.status_code not in {401, 403, 410})


def doors(house: House) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and address of every route; OPTIONS belongs to the first of those that share an address."""
    for rule in house.app.url_map.iter_rules():
        path = address(house, rule)
        for method in sorted(rule.methods or ()):
            if house.app.url_map.bind("localhost").match(path, method)[0] == rule.endpoint:
                yield rule.endpoint, method, path


def rows(settings: Settings) -> dict[str, list[str]]:
    """All that the records hold, but when a session was last seen."""
    kept = {
        table.name: [column for column in table.columns if column.name != "last_seen"]
        for table in Base.metadata.sorted_tables
    }
    with reading(settings) as session:
        return {name: sorted(map(repr, session.execute(select(*columns)).all())) for name, columns in kept.items()}


def watcher(settings: Settings) -> Callable[[], bool]:
    """Says whether anybody wrote into the records since it was asked last: to read all of them takes longer."""
    looking = sqlite3.connect(settings.workspace / "records.sqlite")
    before = looking.execute("PRAGMA data_version").fetchone()

    def written() -> bool:
        nonlocal before
        last, before = before, looking.execute("PRAGMA data_version").fetchone()
        return last != before

    return written


def test_a_watcher_sees_what_is_written_and_only_that(settings: Settings) -> None:
    rows(settings)  # whoever opens the records first prepares them
    written = watcher(settings)
    rows(settings)
    assert not written()
    factories.add_expert(settings)
    assert written()
    assert not written()


def test_the_table_has_every_route_and_no_other(house: House) -> None:
    there = {rule.endpoint for rule in house.app.url_map.iter_rules()}
    assert there - set(routes.ROUTES) == set(), "say in tests/labeler/web/routes.py who may enter"
    assert set(routes.ROUTES) - there == set()
    assert sum(map(len, routes.GROUPS.values())) == len(routes.ROUTES), "a route stands in two groups"


def test_nobody_gets_in_where_the_table_says_no_and_a_refusal_changes_nothing(house: House) -> None:
    unexpected: list[str] = []
    before = rows(house.settings)
    written = watcher(house.settings)
    for endpoint, method, path in doors(house):
        may = routes.ROUTES[endpoint]
        if may == PROOF and method == "OPTIONS":
            continue  # says which methods there are, to everybody
        for caller in CALLERS:
            if caller in may:
                continue
            reply = ask(house, caller, method, path, may=False)
            if entered(reply, may == PROOF):
                unexpected.append(f"{caller} {method} {endpoint}: {reply.status_code}")
        if written() and (now := rows(house.settings)) != before:
            changed = [name for name in now if now[name] != before[name]]
            unexpected.append(f"a refusal of {method} {endpoint} changed {changed}")
            before = now
    assert not unexpected, "\n".join(unexpected)


def test_everybody_gets_in_where_the_table_says_yes(house: House) -> None:
    unexpected: list[str] = []
    for endpoint, method, path in doors(house):
        for caller in routes.ROUTES[endpoint]:
            reply = ask(house, caller, method, path, may=True)
            asked = method in UNSAFE and caller not in TOKENS
            if (endpoint, caller) in FOR_A_QUEUE and method != "OPTIONS" and not asked:
                good = reply.status_code == 403
            elif (endpoint, caller, method) == ("login.leave", OWNER_TOKEN, "POST"):
                good = reply.location == "/login"  # a token that logs out has no session to end
            else:
                good = entered(reply) and (not asked or NOT_OURS in reply.text)
            if not good:
                unexpected.append(f"{caller} {method} {endpoint}: {reply.status_code}")
    assert not unexpected, "\n".join(unexpected)


# Labelling and pages of images are for one's own queue; those without one are told so by the page itself.
OF_A_QUEUE = (
    "grid.page", "grid.next_", "grid.more", "grid.answers", "chosen.answers", "grid.start", "grid.wait",
    "label.page", "label.next_", "label.start", "label.choose", "label.answers", "label_errors.correct",
)  # fmt: skip
FOR_A_QUEUE = {(name, caller) for name in OF_A_QUEUE for caller in (OWNER, ADMIN, OWNER_TOKEN)}


@pytest.fixture
def short_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors as machines read them, with the same words: a page for each of a thousand takes longer than the door."""
    monkeypatch.setattr(replies, "wants_json", lambda: True)


@pytest.mark.usefixtures("short_errors")
def test_a_method_that_a_route_does_not_take_does_nothing(house: House) -> None:
    before = rows(house.settings)
    taken: dict[str, set[str]] = {}
    for _, method, path in doors(house):
        taken.setdefault(path, set()).add(method)
    tried = [(method, path) for path, methods in taken.items() for method in sorted((UNSAFE | {"TRACE"}) - methods)]
    assert len(tried) > len(taken)
    for method, path in tried:
        for caller in (NOBODY, PIPELINE, ADMIN):  # whoever else comes may do less than the last
            reply = ask(house, caller, method, path, may=False)
            assert not entered(reply) or reply.status_code == 405, f"{caller} {method} {path}: {reply.status_code}"
    assert rows(house.settings) == before


def test_what_a_leaver_was_given_opens_nothing(house: House) -> None:
    path = house.link[house.link.index("/welcome/") :]
    visitor = Actor(house.app)
    assert not entered(visitor.get(path), by_proof=True)
    sent = visitor.client.post(path, data={"csrf_token": proof(visitor, "/login")})
    assert not entered(sent, by_proof=True)
    again = visitor.send("/login", email="chidi@example.org", password=factories.PASSWORD)
    assert again.status_code == 401
    assert visitor.get("/").location.startswith("/login")


def test_an_experts_pages_show_nothing_of_another_expert(house: House) -> None:
    ana = house.callers[EXPERT]
    with reading(house.settings) as session:
        bo = session.scalars(select(Expert).where(Expert.name == "Bo")).one().id
    name = house.values["name"]
    asked = ana.get(f"/attributes/{name}/answers?expert={bo}")
    assert asked.status_code == 200
    own = set(images(ana.get(f"/attributes/{name}/answers")))
    assert own
    assert set(images(asked)) <= own
    assert ana.get(f"/attributes/{name}/answers/{house.values['annotation']}").status_code == 404
    for path in ("/", f"/attributes/{name}", f"/attributes/{name}/answers?expert={bo}", "/notices", "/explore"):
        assert "bo@example.org" not in ana.get(path).text, path


def images(reply: TestResponse) -> list[str]:
    """The images of a page, by their names: the addresses are signed anew each time."""
    return re.findall(r"/media/[^/\"]+/([^\"?]+)", reply.text)


OF_A_PERSON = {
    "people.widen": "/people/attributes",
    "people.link": "/people/link",
    "people.label_studio": "/people/label-studio",
    "people.role": "/people/role",
    "people.shut": "/people/shut",
    "people.open_": "/people/open",
    "people.remove": "/people/leave",
    "people.end_again": "/people/end-again",
    "people.erase": "/people/erase",
    "people.answers": "/people/answers",
}


def test_an_owner_changes_no_owner_and_no_admin(house: House) -> None:
    known = {endpoint for endpoint, method, _ in doors(house) if endpoint.startswith("people.") and method in UNSAFE}
    assert known == set(OF_A_PERSON) | {"people.add"}
    before = rows(house.settings)
    for path in OF_A_PERSON.values():
        for whose in ("otto@example.org", "root@example.org"):
            for caller in (OWNER, OWNER_TOKEN):
                data = house.form | {"email": whose, "what": "login", "csrf_token": house.forged[OWNER]}
                reply = house.callers[caller].client.post(path, data=data)
                assert reply.status_code == 403, (caller, path, whose)
    for caller in (OWNER, OWNER_TOKEN):
        for role in ("owner", "admin"):
            data = {"email": "new@example.org", "role": role, "csrf_token": house.forged[OWNER]}
            assert house.callers[caller].client.post("/people/new", data=data).status_code == 403
    assert rows(house.settings) == before


def test_the_page_of_security_tells_how_many_doors_were_tried(house: House) -> None:
    asked = [name for name, method, _ in doors(house) if (routes.ROUTES[name], method) != (PROOF, "OPTIONS")]
    said = f"{len(routes.ROUTES)} routes, {len(CALLERS)} callers, {len(asked) * len(CALLERS)} requests"
    page = (Path(__file__).resolve().parents[3] / "docs" / "explanation" / "security.md").read_text()
    assert said in page, f"docs/explanation/security.md should say: {said}"
