"""Every page that a role may open, found in the app's own map of addresses, by axe-core's rules of accessibility."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from attune.labeler.answers import label_errors
from attune.labeler.records.schema import Annotation, Attribute, Expert, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.web import access
from attune.labeler.web.app import create_app
from attune.models.labels.label_errors import SuspectedError
from tests.labeler.web.conftest import Actor
from tests.models.catalog.manifests import make
from tests.support import axe, factories, web
from tests.support.browser import finished

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# What a part of an address may be; a page with a new one finds it here, or the test below says which is missing.
VALUES: dict[str, object] = {
    "name": "serious-expression",
    "version": 1,
    "annotation": 1,
    "image": 1,
    "run": 1,
    "number": 1,
}
# Pages that need more than an address to be opened.
QUERIES = {
    "people.person": "email=ana@example.org",
    "people.leave": "email=ana@example.org",
    "people.shut_page": "email=ana@example.org",
    "people.erase_page": "email=ana@example.org",
}
OPENED_BY_MORE = {
    "single.begin": "a company's provider",  # test_single_sign_on looks at what they answer
    "single.back": "a company's provider",
    "welcome.page": "a link's secret",
    "moves.progress": "a running job",
    "explore.sending_page": "a running job",
    "correct.page": "an own answer",
    "map.positions": "a map",  # test_map_browser looks at it
    "map.colours": "a map",
    "map.images": "a map",
    "map.found": "a map",
    "clusters.cluster": "a saved clustering",  # test_clusters_browser looks at it
    "duplicates.confirm": "images to decide about",  # test_duplicates_browser looks at it
    "insights.one": "an answered question",  # test_insights_browser looks at it
    "insights.test": "an answered question",  # test_insights_browser looks at it
    "insights.arms": "an answered question",
    "features.one": "a measured or imported feature",  # test_insights_browser looks at it
    "titles.page": "a title of the pool",  # test_insights_browser looks at it
    "titles.brief": "a title of the pool",
    "grid.wait": "an expert who asked for a page of images",
    "results.image": "an image of the pool",  # test_results_browser looks at it
    "uploads.page": "an upload of one's own",  # test_uploads looks at it
    "performance.file": "an upload of one's own",
    "uploads.received": "an upload of one's own",
    "threads.page": "a disputed image",  # test_threads_browser looks at it
    "threads.look": "a disputed image",
    "label.page": "an expert's own queue",  # test_label_browser looks at it
    "label.next_": "an expert's own queue",
    "label.start": "an expert's own queue",
    "grid.page": "an expert's own queue",  # test_pages_browser looks at it
    "grid.next_": "an expert's own queue",
}
BROKEN = "[...document.images].filter((one) => one.loading != 'lazy' && !one.naturalWidth).map((one) => one.src)"
NO_PAGES = ("api", "static", "bootstrap", "health", "media", "question")  # the last: a part of New question


@dataclass(frozen=True)
class House:
    """A served console over a workspace in full swing."""

    app: Flask
    address: str
    version: int
    shapes: dict[str, str]  # of an owner's pages, by path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    settings = factories.workspace(tmp_path_factory.mktemp("accessible"), redis_url=redis_url)
    factories.add_studio(settings)
    with reading(settings) as session:
        ana = session.scalars(select(Expert).where(Expert.name == "Ana")).one()
    with writing(settings) as session:
        row = session.scalars(select(Version)).one()
        row.manifest = _manifest(row.version)
        _suspect(session, ana)
        served = row.version
    factories.add_user(settings, "ana@example.org", "expert", ana)
    factories.add_user(settings, "olga@example.org", "owner")
    factories.add_user(settings, "root@example.org", "admin")
    app = create_app(settings)
    with web.served(app) as address:
        yield House(app, address, served, {})


def _suspect(session: Session, expert: Expert) -> None:
    """Put some answers of ``expert`` on the list of suspected label errors."""
    mine = session.scalars(
        select(Annotation)
        .join(Attribute, Attribute.id == Annotation.attribute_id)
        .where(Attribute.name == "serious-expression", Annotation.expert_id == expert.id, Annotation.value == "serious")
        .limit(4)
    ).all()
    told = [SuspectedError(one.asset.asset_id, expert.email, "serious", "not serious", 0.93, 0.1) for one in mine]
    assert label_errors.replace(session, mine[0].attribute_id, 1, told)


def _manifest(version: int) -> dict[str, Any]:
    metrics = {"average_precision": factories.metric("average_precision", 0.87)}
    return make(attribute="serious-expression", version=version, metrics=metrics).to_dict()


def pages(house: House, role: str) -> dict[str, str]:
    """Endpoint -> address of each page that ``role`` may open, plus one that leads nowhere."""
    rules = [rule for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    mine = [rule for rule in rules if _is_page(rule) and access.allowed(rule.endpoint, role)]
    missing = {name for rule in mine if rule.endpoint not in OPENED_BY_MORE for name in rule.arguments} - VALUES.keys()
    assert not missing, f"VALUES says nothing of {sorted(missing)}"
    return {rule.endpoint: _address(house, rule) for rule in mine} | {"nowhere": "/nowhere"}


def _is_page(rule: Rule) -> bool:
    return rule.endpoint.partition(".")[0] not in NO_PAGES


def _address(house: House, rule: Rule) -> str:
    known = VALUES | {"version": house.version}
    values = {name: known.get(name, "none") for name in rule.arguments}
    path = house.app.url_map.bind("localhost").build(rule.endpoint, values)
    return f"{path}?{QUERIES[rule.endpoint]}" if rule.endpoint in QUERIES else path


def entered(browser: Browser, house: House, email: str | None, width: int) -> BrowserContext:
    """A browser of somebody who is logged in."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    if email:
        cookie = Actor(house.app, email).client.get_cookie("attune_session")
        assert cookie
        context.add_cookies([{"name": "attune_session", "value": cookie.value, "url": house.address}])
    return context


# (role, email, width). At the other width nothing may be wider than the window either, and in the other scheme nothing
# too faint.
LOOKS = [
    ("nobody", None, 390),
    ("expert", "ana@example.org", 390),
    ("owner", "olga@example.org", 1400),
    ("admin", "root@example.org", 390),
]
WIDTHS = (390, 1400)
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")  # to change into, one page after the other
# Addresses whose pages have more to show than those that VALUES leads to.
MORE = {
    "expert": ("/attributes/tender/contested", "/attributes/romance"),
    "owner": ("/attributes/tender/contested", "/attributes/dread"),
}
# What two people's pages may differ in and still be one page: what it says, whose it is, the proof that a form is ours.
SAID = re.compile(r'>[^<]*<|(value|title|data-outbox)="[^"]*"|<script.*?</script>', re.DOTALL)


@pytest.mark.parametrize(("role", "email", "width"), LOOKS)
def test_no_page_breaks_a_serious_rule_or_its_policy_or_is_wider_than_its_window(
    browser: Browser, house: House, role: str, email: str | None, width: int
) -> None:
    context = entered(browser, house, email, width)
    page, complaints, schemes = context.new_page(), [], cycle(SCHEMES)
    page.on("console", lambda told: complaints.append(f"{page.url}: {told.text}") if _counts(told) else None)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    found = pages(house, role) if email else {"login.page": "/login", "nowhere": "/nowhere"}
    actor, refusals = Actor(house.app, email), set[str]()
    for endpoint, path in (found | {path: path for path in MORE.get(role, ())}).items():
        kind = actor.get(path)
        if kind.mimetype != "text/html" or kind.status_code == 302:
            continue
        shape = SAID.sub("", kind.text)
        if role == "admin" and shape == of_an_owner(house, path):
            continue  # the owner's own, which is looked at
        if role == "owner":
            house.shapes[path] = shape
        if kind.status_code >= 400:
            if endpoint not in {*OPENED_BY_MORE, "nowhere"}:
                complaints.append(f"{path} answers {kind.status_code}: QUERIES or OPENED_BY_MORE should say why")
            if shape in refusals:
                continue  # a refusal of the same form was looked at
            refusals.add(shape)
        page.goto(house.address + path)
        complaints += [f"{path}: {complaint}" for complaint in _look(page, width, next(schemes))]
    context.close()
    assert not complaints, "\n".join(complaints)
    assert email is None or len(found) > 8


def of_an_owner(house: House, path: str) -> str:
    """The shape of the owner's page at ``path``: as the owner's test met it, where that has run."""
    if path not in house.shapes:
        house.shapes[path] = SAID.sub("", Actor(house.app, "olga@example.org").get(path).text)
    return house.shapes[path]


# Of text of one kind a few are asked about (tests/support/axe.py): whatever makes it another kind is looked at as well.
WELL = "<p>As dark as can be.</p>" * 5
FAINT = {
    "a colour of its own": "<p style='color: #bbb'>faint</p>",
    "a ground of its own": "<div style='background: #444'><p>faint</p></div>",
    "a ground of the page's": "<style>body { background: #444 !important }</style>",
    "half through": "<div style='opacity: .3'><p>faint</p></div>",
    "small where large would do": "<h1 style='color: #888'>large</h1><p style='color: #888'>small</p>",
    "off, and then not": "<button disabled style='color: #bbb'>off</button>" * 4
    + "<button style='color: #bbb'>on</button>",
    "out of sight, and then not": "<p hidden style='color: #bbb'>away</p>" * 4 + "<p style='color: #bbb'>here</p>",
    "over something else": "<div style='position: absolute; top: 0; background: #444'><p>faint</p></div>",
    "in a field": "<label>Name <input value='faint' style='color: #bbb'></label>",
}


def test_whatever_makes_text_faint_is_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(f"<html lang='en'><title>t</title><body style='background: white'><main>{WELL}</main>")
    assert not axe.serious(page)
    for why, text in FAINT.items():
        page.evaluate("text => { document.querySelector('main').insertAdjacentHTML('beforeend', text); }", text)
        assert [one.rule for one in axe.serious(page)] == ["color-contrast"], why
        page.evaluate("document.querySelectorAll('main > :not(p:nth-child(-n+5))').forEach((one) => one.remove())")
    page.close()


def _look(page: Page, width: int, other: Literal["dark", "light"]) -> list[str]:
    """What is wrong with the open page, in its colour scheme and in the ``other``, in which it stays."""
    complaints = []
    for shown in sorted(WIDTHS, key=lambda one: one == width):
        page.set_viewport_size({"width": shown, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            complaints.append(f"wider than {shown} pixels")
    finished(page)
    complaints += [f"{name} is no image" for name in page.evaluate(BROKEN)]
    complaints += map(str, axe.serious(page))
    complaints += map(str, axe.faint(page, other))
    return complaints


def _counts(message: ConsoleMessage) -> bool:
    """Whether the browser's console complains of what is ours: not of a page that is meant to refuse."""
    return message.type in ("error", "warning") and not any(code in message.text for code in ("403", "404", "422"))
