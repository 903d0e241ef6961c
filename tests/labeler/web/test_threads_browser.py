"""A disputed image and its thread in a real Chromium: at two widths, by accessibility rules, and by the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from attune.labeler.answers import threads
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Attribute, Expert
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.disagreements import disputed_images
from attune.labeler.web.app import create_app
from attune.models.clock import now
from tests.support import axe, factories, web
from tests.support.looks import enter, look

pytestmark = pytest.mark.browser
LIST = "/attributes/tender/contested"
TEXTS = {
    "ana": "Her hand on his cheek decides it for me. The light is cold, but the gesture is tender.",
    "bo": "It is a medical check. I would not call that tender.",
    "olga": "A touch that serves a purpose, such as care by a doctor, is not tender.",
}


@dataclass(frozen=True)
class House:
    """A served console; ``image``: the key of a disputed image with a thread."""

    settings: Settings
    address: str
    image: int


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    settings = factories.workspace(tmp_path_factory.mktemp("threads"), redis_url=redis_url)
    factories.add_studio(settings)
    people = {}
    with writing(settings) as session:
        session.execute(update(Annotation).values(updated_at=now() - timedelta(days=2)))
        experts = {one.name.lower(): one for one in session.scalars(select(Expert))}
    for name in TEXTS:
        expert = experts.get(name)
        role = "expert" if expert else "owner"
        user = factories.add_user(settings, f"{name}@example.org", role, expert)
        people[name] = Viewer(role, user.email, expert.id if expert else None, user.id)
    with reading(settings) as session:
        tender = session.scalars(select(Attribute).where(Attribute.name == "tender")).one()
        seen = [
            disputed_images(session, people[name], tender.id, tender.classes, size=50).items for name in ("ana", "bo")
        ]
    image = next(one.picture.pk for one in seen[0] if one.picture.pk in {other.picture.pk for other in seen[1]})
    for name, text in TEXTS.items():
        threads.write(settings, people[name], "tender", image, text)
    with web.served(create_app(settings)) as address:
        yield House(settings, address, image)


@pytest.mark.parametrize("who", ["olga", "ana"])
def test_pages_fit_and_pass_the_accessibility_rules(page: Page, house: House, who: str) -> None:
    enter(page, house.address, f"{who}@example.org")
    paths = [LIST, f"{LIST}/{house.image}"]
    if who == "olga":
        paths += [f"{LIST}/{house.image}/revision?{how}" for how in ("comment=3", "place=in_scope", "place=definition")]
    for path in paths:
        page.goto(house.address + path)
        look(page, path)
        assert not [str(one) for one in axe.faint(page, "dark")], f"{path} in the dark"
        page.emulate_media(color_scheme="light")


def test_a_thread_ends_in_a_revision_by_the_keyboard_alone(page: Page, house: House) -> None:
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}{LIST}/{house.image}")
    page.get_by_role("textbox", name="Comment").focus()
    page.keyboard.type("Agreed? It stays open: yes / no")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="4 comments")).to_be_visible()
    link = page.locator(".line").filter(has_text=TEXTS["olga"]).get_by_role("link", name="Add to definition")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Effect")).to_be_visible()
    expect(page.locator("ins")).to_contain_text(TEXTS["olga"])
    expect(page.get_by_text("stay valid")).to_be_visible()
    page.get_by_role("button", name="Create revision 2").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Revision 2 is created")).to_be_visible()
    expect(page.get_by_text("Added to the question in")).to_be_visible()
    with reading(house.settings) as session:
        row = session.scalars(select(Attribute).where(Attribute.name == "tender")).one()
    assert row.definition.endswith(TEXTS["olga"])
