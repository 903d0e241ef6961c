"""An expert's journey in a real browser: console, Label Studio, three images with the keyboard alone."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from playwright.sync_api import Page, Response, expect
from playwright.sync_api import TimeoutError as NotYet
from sqlalchemy import Select, select

from attune.labeler.demo import simulate
from attune.labeler.demo.prepare import DOMAIN, PASSWORD
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Annotation, Attribute, Expert, Queue, Run, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.sample import stock_experts
from attune.labeler.settings import Settings
from attune.labeler.views.links import queue_url
from tests.journeys.conftest import ATTRIBUTE, House
from tests.support.looks import keep

pytestmark = [pytest.mark.services, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
ANSWERS = 3


def test_three_images_by_keyboard_from_the_link_on_the_console(house: House, page: Page) -> None:
    settings = house.settings
    eye = {one.name: one for one in stock_experts(house.drawn)}["ana"]
    console(page, settings, f"ana@{DOMAIN}")
    page.get_by_role("link", name=re.compile("serious", re.IGNORECASE)).first.click()
    page.wait_for_url(f"**/attributes/{ATTRIBUTE}**")
    keep(page, "attribute-before")
    served = Served(page)
    before = int(page.locator('[data-count="answers"]').inner_text())
    studio = in_label_studio(page, settings, f"ana@{DOMAIN}")
    log_in_to_label_studio(studio, f"ana@{DOMAIN}")
    studio.get_by_test_id("bottombar-submit-button").wait_for(timeout=60_000)
    studio.wait_for_selector('img[src^="blob:"]', timeout=30_000)
    keep(studio, "label-studio-instructions")
    close_instructions(studio)
    keep(studio, "label-studio")
    assert studio.locator('[data-testid="error:http"]').count() == 0

    given: list[tuple[int, str]] = []
    expected: list[int] = []
    for number in range(ANSWERS):
        task = served.await_number(studio, number)
        asset = asset_of(settings, task)
        value = eye.answer(ATTRIBUTE, asset)
        key = {"serious": "1", "not serious": "2"}.get(value, "0")
        press(studio, key)
        expected.append(first_of_order(settings, but=task))
        with studio.expect_response(lambda r: "/annotations" in r.url and r.request.method == "POST") as reply:
            studio.keyboard.press("Control+Enter")
        assert reply.value.status == 201
        assert reply.value.json()["task"] == task
        given.append((task, value if key != "0" else "unsure"))
        # A person looks at an image for a second or two; the order that follows the answer is there by then.
        assert simulate.wait_learned(settings, ATTRIBUTE, counter_after(settings, task), seconds=30)

    assert len({task for task, _ in given}) == ANSWERS
    assert arrived(settings, [task for task, _ in given]) == sorted(given)
    # The browser fetches the next image as it submits: each time the first of the order that was newest then.
    assert [task for task, _ in given][1:] == expected[:-1]
    newest_order_is_served(settings)

    expect(page.locator('[data-count="answers"]')).to_have_text(str(before + ANSWERS), timeout=30_000)
    keep(page, "attribute-after")
    page.set_viewport_size({"width": 390, "height": 844})
    keep(page, "attribute-phone")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def console(page: Page, settings: Settings, email: str) -> None:
    page.goto(f"{settings.web_address}/login")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def in_label_studio(page: Page, settings: Settings, email: str) -> Page:
    """A second tab with the person's queue in Label Studio, to which the console leads no expert any more."""
    with reading(settings) as session:
        mine = (Expert.email == email, Attribute.name == ATTRIBUTE)
        queue = session.scalars(select(Queue).join(Expert).join(Attribute).where(*mine)).one()
        address = queue_url(settings, queue)
    studio = page.context.new_page()
    studio.goto(address)
    return studio


def log_in_to_label_studio(studio: Page, email: str) -> None:
    studio.wait_for_load_state()
    wanted = studio.url
    if "/user/login" in wanted:
        studio.fill("input[name=email]", email)
        studio.fill("input[name=password]", PASSWORD)
        studio.keyboard.press("Enter")
        studio.wait_for_url(lambda url: "/user/login" not in url)


def close_instructions(studio: Page) -> None:
    """The definition opens by itself on a first visit; Escape closes it."""
    dialog = studio.get_by_text("Labeling Instructions")
    with suppress(NotYet):  # on a busy machine it opens after the image has come
        dialog.first.wait_for(timeout=5000)
    for _ in range(20):
        if dialog.count() == 0 or not dialog.first.is_visible():
            return
        studio.keyboard.press("Escape")
        studio.wait_for_timeout(250)
    raise AssertionError("the instructions do not close")


def press(studio: Page, key: str) -> None:
    """Hotkeys are bound a moment after a task is shown: press until the choice is taken."""
    for _ in range(30):
        studio.keyboard.press(key)
        try:
            studio.wait_for_selector("input:checked", state="attached", timeout=400)
            return
        except NotYet:  # a busy page says so late, and a second press would take the choice back
            if studio.locator("input:checked").count():
                return
    raise AssertionError(f"key {key} chose nothing")


class Served:
    """The tasks that Label Studio handed to the browser, in order."""

    def __init__(self, page: Page) -> None:
        self.tasks: list[int] = []
        page.context.on("response", self._note)

    def _note(self, reply: Response) -> None:
        if "next_task" in reply.url and reply.ok:
            self.tasks.append(int(reply.json()["id"]))

    def await_number(self, studio: Page, number: int) -> int:
        """The task that came as the ``number``-th (from 0)."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if len(self.tasks) > number:
                return self.tasks[number]
            studio.wait_for_timeout(100)
        raise AssertionError(f"Label Studio handed out {len(self.tasks)} tasks, not {number + 1}")


def asset_of(settings: Settings, task: int) -> str:
    with reading(settings) as session:
        return str(session.scalars(select(Task).where(Task.label_studio_task == task)).one().asset.asset_id)


def position(settings: Settings, task: int) -> int:
    """The task's place in the newest order of its queue."""
    with reading(settings) as session:
        return session.scalars(select(Task.position).where(Task.label_studio_task == task)).one()


def first_of_order(settings: Settings, but: int) -> int:
    """The first open task of Ana's queue in the newest order, without the one on her screen."""
    with reading(settings) as session:
        mine = select(Queue.id).join(Expert, Expert.id == Queue.expert_id).where(Expert.email == f"ana@{DOMAIN}")
        rows = select(Task.label_studio_task).where(
            Task.queue_id == session.scalars(mine).one(), Task.state == "open", Task.label_studio_task != but
        )
        return session.scalars(rows.order_by(Task.position).limit(1)).one()


def counter_after(settings: Settings, task: int) -> int:
    """The counter of answers once the answer on ``task`` has arrived."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with reading(settings) as session:
            if session.scalars(select(Task.state).where(Task.label_studio_task == task)).one() == "answered":
                return simulate.counters(settings, ATTRIBUTE)[0]
        time.sleep(0.1)
    raise AssertionError(f"the answer on task {task} did not arrive")


def arrived(settings: Settings, tasks: list[int]) -> list[tuple[int, str]]:
    with reading(settings) as session:
        rows = session.execute(
            select(Task.label_studio_task, Annotation.value)
            .join(Annotation, Annotation.task_id == Task.id)
            .where(Task.label_studio_task.in_(tasks), Annotation.deleted_at.is_(None))
        )
        return sorted((int(task), str(value)) for task, value in rows)


def newest_order_is_served(settings: Settings) -> None:
    """What Label Studio hands out next is the first open task of the newest run's order."""
    with reading(settings) as session:
        queue = session.scalars(bens_queue()).one()
        newest = session.scalars(select(Run.number).order_by(Run.number.desc()).limit(1)).one()
    prepare_order(settings)
    with simulate.ExpertSession.login(settings.label_studio_address, f"ben@{DOMAIN}", PASSWORD) as ben:
        task = ben.next_task(queue.project)
    assert task is not None
    assert position(settings, task["id"]) == 0
    with reading(settings) as session:
        assert session.get_one(Queue, queue.id).order_run >= newest


def prepare_order(settings: Settings) -> None:
    """Ben's queue is idle, so that its order follows once a minute: as if that had passed, a round orders it now."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        with writing(settings) as session:
            session.scalars(bens_queue()).one().ordered_at = None
        done = jobs.ask(settings, "learn", attribute=ATTRIBUTE)
        with reading(settings) as session:
            if (session.scalars(bens_queue()).one().order_run or 0) >= done.get("run", 10**9):
                return
        time.sleep(0.5)  # another learner is at it
    raise AssertionError("ben's queue did not follow")


def bens_queue() -> Select[Queue]:
    return select(Queue).join(Expert, Expert.id == Queue.expert_id).where(Expert.email == f"ben@{DOMAIN}")
