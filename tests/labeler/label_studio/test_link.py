"""The expert's link in a browser that has never been here: the queue's order, and a word where nothing is left."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from attune.labeler.label_studio import LabelStudio, logins, projects, queue_tasks
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.settings import Settings
from tests.support.services import EMAIL, PASSWORD

pytestmark = [pytest.mark.services, pytest.mark.browser, pytest.mark.slow]


def log_in(page: Page, settings: Settings) -> None:
    page.goto(f"{settings.label_studio_address}/user/login/")
    page.fill("input[name=email]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda address: "/user/login" not in address)


def shown(page: Page, settings: Settings, project: Project) -> dict[str, Any]:
    """What the page is given to show when the link is opened."""
    with page.expect_response(lambda reply: "next_task" in reply.url, timeout=90_000) as reply:
        page.goto(projects.labelling_url(settings, project.id, project.view))
    found: dict[str, Any] = reply.value.json()
    return found


def test_the_link_serves_the_lowest_score_on_the_first_visit(
    live: Settings, ls: LabelStudio, project: Project, page: Page
) -> None:
    logins.ensure_user(ls, EMAIL, PASSWORD)
    new = [NewTask(f"asset-{n}", "http://127.0.0.1:1/x.jpg", score) for n, score in enumerate([0.5, 0.9, 0.1, 0.7])]
    ids = [one.task for one in queue_tasks.add(ls, project.id, new, "run-1")]
    log_in(page, live)
    assert shown(page, live, project)["id"] == ids[2]
    page.get_by_test_id("bottombar-submit-button").wait_for(timeout=90_000)

    queue_tasks.reorder(ls, project.id, {ids[1]: 0.1, ids[0]: 0.2}, "run-2", "run-1")
    assert shown(page, live, project)["id"] == ids[1]


def test_an_empty_queue_says_that_nothing_is_left(
    live: Settings, ls: LabelStudio, project: Project, page: Page, expert: ExpertSession
) -> None:
    log_in(page, live)
    shown(page, live, project)
    page.get_by_text("No More Tasks Left").wait_for(timeout=90_000)
    assert expert.next_task(project.id) is None


def test_an_answer_to_a_question_that_was_changed_is_refused_with_its_reason(
    live: Settings, ls: LabelStudio, project: Project, page: Page
) -> None:
    """Label Studio's page said that the annotation is not saved, to try again, and to ask its makers for help."""
    logins.ensure_user(ls, EMAIL, PASSWORD)
    (only,) = queue_tasks.add(ls, project.id, [NewTask("asset-1", "http://127.0.0.1:1/x.jpg", 0.5)], "run-1")
    log_in(page, live)
    shown(page, live, project)
    page.get_by_test_id("bottombar-submit-button").wait_for(timeout=90_000)
    projects.update(ls, project, "Not romantic?", ["neither", "romance"], "")
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    page.get_by_text("The question was changed while this page was open. Reload the page").first.wait_for()
    assert page.get_by_text("contact our team").count() == 0
    assert ls.request("GET", f"/api/tasks/{only.task}/")["annotations"] == []
