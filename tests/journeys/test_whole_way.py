"""An expert's whole way through Label Studio behind its guard: answer, skip, go back, correct; nothing is refused."""

from __future__ import annotations

import re
from time import sleep

import pytest
from playwright.sync_api import Page, Response, expect
from playwright.sync_api import TimeoutError as NotYet
from sqlalchemy import select

from attune.labeler.demo.prepare import DOMAIN
from attune.labeler.records.schema import Annotation
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from tests.journeys.conftest import ATTRIBUTE, House
from tests.journeys.test_expert import (
    close_instructions,
    console,
    in_label_studio,
    log_in_to_label_studio,
    prepare_order,
    press,
)
from tests.support.looks import keep

pytestmark = [pytest.mark.services, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


def test_answering_skipping_going_back_and_correcting_are_all_open(house: House, page: Page) -> None:
    settings = house.settings
    prepare_order(settings)
    refused: list[str] = []
    page.context.on("response", lambda reply: refused.extend(_refused(reply)))
    console(page, settings, f"ben@{DOMAIN}")
    studio = in_label_studio(page, settings, f"ben@{DOMAIN}")
    log_in_to_label_studio(studio, f"ben@{DOMAIN}")
    studio.get_by_test_id("bottombar-submit-button").wait_for(timeout=60_000)
    close_instructions(studio)

    press(studio, "1")
    with studio.expect_response(_is_new_image), studio.expect_response(_is_new_answer) as reply:
        studio.keyboard.press("Control+Enter")
    answered = reply.value.json()
    studio.wait_for_timeout(500)
    with studio.expect_response(_is_new_image), studio.expect_response(_is_new_answer) as reply:
        studio.get_by_test_id("bottombar-skip-button").click()
    skipped = reply.value.json()
    _go_back(studio, skipped["task"])
    _go_back(studio, answered["task"])
    _press_until_changed(studio)
    with studio.expect_response(lambda r: f"/annotations/{answered['id']}" in r.url) as reply:
        studio.keyboard.press("Control+Enter")
    assert (reply.value.request.method, reply.value.status) == ("PATCH", 200)
    assert _awaited(settings, answered["id"]) == "not serious"

    page.goto(f"{settings.web_address}/attributes/{ATTRIBUTE}")
    page.locator("a[href*='/answers/']").first.click()
    expect(page.get_by_role("status")).to_contain_text("Your answer")  # in the console, without another login
    keep(page, "console-correct")

    studio.goto(f"{settings.label_studio_address}/projects/")
    assert studio.url.startswith(settings.web_address), "the list of projects is Attune's own page"
    studio.goto(f"{settings.label_studio_address}/people/")
    expect(studio.get_by_role("heading", name=re.compile("[Nn]ot open|[Nn]o access"))).to_be_visible()
    keep(studio, "label-studio-not-open")
    assert refused == ["GET /people/ 403"], "a door that the page needs is shut"


def _refused(reply: Response) -> list[str]:
    if reply.status not in {401, 403, 500} and "x-attune-door" not in reply.headers:
        return []
    return [f"{reply.request.method} {re.sub('^https?://[^/]+', '', reply.url)} {reply.status}"]


def _is_new_answer(reply: Response) -> bool:
    return "/annotations" in reply.url and reply.request.method == "POST"


def _is_new_image(reply: Response) -> bool:
    return "id=next_task" in reply.url and reply.ok


def _go_back(studio: Page, task: int) -> None:
    """Press back until the page asks for ``task``: a press while another image is loading is lost."""
    for _ in range(10):
        try:
            with studio.expect_response(lambda reply: f"/api/tasks/{task}?" in reply.url, timeout=4000):
                studio.get_by_test_id("prev-task").click(timeout=2000)
            studio.wait_for_timeout(1000)
            return
        except NotYet:
            continue
    raise AssertionError(f"the page does not go back to task {task}")


def _press_until_changed(studio: Page) -> None:
    """Choose the second class in place of the first; keys are bound a moment after the image is shown."""
    for _ in range(30):
        studio.keyboard.press("2")
        studio.wait_for_timeout(300)
        if _chosen(studio) == "not serious":
            studio.wait_for_timeout(2000)  # a choice on the image before is gone once the next one is shown
            if _chosen(studio) == "not serious":
                return
    raise AssertionError("key 2 chose nothing")


def _chosen(studio: Page) -> str:
    found = studio.evaluate("() => document.querySelector('input:checked')?.closest('label')?.innerText ?? ''")
    return str(found).split("[")[0].strip()


def _awaited(settings: Settings, annotation: int) -> str:
    """What the records say of an answer, once the correction has arrived."""
    value = None
    for _ in range(300):
        with reading(settings) as session:
            value = session.scalar(select(Annotation.value).where(Annotation.label_studio_id == annotation))
        if value == "not serious":
            break
        sleep(0.1)
    return str(value)
