"""An expert's journey on Attune's own labelling page: one login, one key an image, each answer in Label Studio."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from attune.labeler.demo import simulate
from attune.labeler.demo.prepare import DOMAIN
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.records.schema import Annotation, Expert, Task
from attune.labeler.records.session import reading
from attune.labeler.sample import stock_experts
from attune.labeler.settings import Settings
from tests.journeys.conftest import ATTRIBUTE, House
from tests.journeys.test_expert import console
from tests.support.looks import keep

pytestmark = [pytest.mark.services, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
ANSWERS = 8
KEYS = {"serious": "1", "not serious": "2", "unsure": "0"}


def test_eight_images_by_one_key_each(house: House, page: Page) -> None:
    """All of them are in the first reply of questions; what a refill brings, test_label_browser answers at a desk."""
    settings = house.settings
    eye = {one.name: one for one in stock_experts(house.drawn)}["chloe"]
    before = simulate.counters(settings, ATTRIBUTE)[0]
    console(page, settings, f"chloe@{DOMAIN}")
    page.get_by_role("link", name=re.compile("Start labelling")).first.click()
    expect(page.get_by_role("dialog")).to_be_visible()  # the instructions, once
    page.keyboard.press("Enter")
    given: dict[str, str] = {}
    at = shown(page)
    keep(page, "label-page")
    for _ in range(ANSWERS):
        value = eye.answer(ATTRIBUTE, asset_of(settings, at))
        given[at] = value if value in KEYS else "unsure"
        page.keyboard.press(KEYS[given[at]])
        at = shown(page, at)
    page.keyboard.press("Backspace")
    last = shown(page, at)
    given[last] = "not serious" if given[last] == "serious" else "serious"
    page.keyboard.press(KEYS[given[last]])
    shown(page, last)
    expect(page.locator("body")).to_have_attribute("data-unsent", "0", timeout=60_000)
    assert counted(settings, list(given)) == given
    assert in_label_studio(settings, list(given)) == given
    assert simulate.wait_learned(settings, ATTRIBUTE, before + ANSWERS, seconds=60)
    page.set_viewport_size({"width": 390, "height": 844})
    keep(page, "label-page-phone")


def shown(page: Page, before: str = "") -> str:
    """The key of the question on the screen, once it is another one than ``before``."""
    body = page.wait_for_selector(f"body[data-shown]:not([data-shown='{before}'])", timeout=60_000)
    assert body is not None
    return str(body.get_attribute("data-shown"))


def asset_of(settings: Settings, key: str) -> str:
    with reading(settings) as session:
        return str(session.scalars(select(Task).where(Task.key == key)).one().asset.asset_id)


def counted(settings: Settings, keys: list[str]) -> dict[str, str]:
    """What the records hold: key -> answer of Chloe's."""
    with reading(settings) as session:
        rows = select(Task.key, Annotation.value).join(Annotation, Annotation.task_id == Task.id)
        mine = rows.join(Expert, Expert.id == Annotation.expert_id).where(Expert.email == f"chloe@{DOMAIN}")
        found = session.execute(mine.where(Task.key.in_(keys), Annotation.deleted_at.is_(None))).all()
        return {str(key): str(value) for key, value in found}


def in_label_studio(settings: Settings, keys: list[str]) -> dict[str, str]:
    """What Label Studio holds: each annotation is Chloe's own, its last change too."""
    with reading(settings) as session:
        tasks = session.execute(select(Task.key, Task.label_studio_task).where(Task.key.in_(keys))).all()
        user = session.scalars(select(Expert.label_studio_user).where(Expert.email == f"chloe@{DOMAIN}")).one()
    made: dict[str, str] = {}
    with LabelStudio.connect(settings) as ls:
        for key, task in tasks:
            (one,) = ls.request("GET", f"/api/tasks/{task}/")["annotations"]
            assert one["completed_by"]["id"] == user
            assert one["updated_by"] in {user, None}
            made[key] = one["result"][0]["value"]["choices"][0]
    return made
