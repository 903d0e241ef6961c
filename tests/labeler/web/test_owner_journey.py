"""An owner by keyboard alone, looked at in both widths: review, override, promote, read the history, roll back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from sqlalchemy import select

from attune.labeler.catalog import gate_bounds
from attune.labeler.catalog.alias_history import history
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.workers.runtime.perform import perform
from tests.labeler.catalog import judged
from tests.support import factories, web
from tests.support.looks import TELEPHONE, enter, look

pytestmark = pytest.mark.browser
FARTHEST = 140  # presses of Tab from the top of a page to anything on it that an owner needs


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Champion 1 guesses, candidate 4 knows; a gate is enforced that no probe can pass."""
    made = judged.filled(tmp_path / "workspace", images=True, redis_url=redis_url)
    promote(made, Move("serious", 1, "to have one", "bo@example.org"))
    gate_bounds.change(made, "serious", "bo@example.org", {"audit_answers": 5000}, {"audit_answers": True})
    factories.add_user(made, "olga@example.org", "owner")
    monkeypatch.setenv("ATTUNE_WORKSPACE", str(made.workspace))
    monkeypatch.setenv("ATTUNE_REDIS_URL", redis_url)
    return made


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    with web.served(create_app(settings)) as address:
        yield address


def reach(page: Page, words: str) -> None:
    """Press Tab until the focus is on what says ``words``."""
    told = "(() => { const e = document.activeElement; return (e.labels?.[0] ?? e).innerText || e.value || '' })()"
    for _ in range(FARTHEST):
        page.keyboard.press("Tab")
        if page.evaluate(told).strip().startswith(words):
            return
    raise AssertionError(f"no {FARTHEST} presses of Tab lead to {words!r} on {page.url}")


def follow(page: Page, words: str, heading: str) -> None:
    """Reach a link or button by keyboard, press Enter, and look at the page it leads to."""
    reach(page, words)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    look(page, page.url)


def work(settings: Settings) -> None:
    """Do what waits, as a worker would."""
    with reading(settings) as session:
        waiting = list(session.scalars(select(Job.id).where(Job.state == "queued")))
    for job in waiting:
        perform(job)


def test_an_owner_promotes_with_open_eyes_and_can_undo_it(browser: Browser, settings: Settings, address: str) -> None:
    context = browser.new_context(viewport={"width": TELEPHONE, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if _ours(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    enter(page, address, "olga@example.org")
    page.goto(f"{address}/attributes/serious")

    verdict = "New version 4 is better than the version in use, but an enforced gate stops it."
    follow(page, "Review new version 4", verdict)
    expect(page.locator(".gates .missed")).to_have_count(1)
    expect(page.locator(".lead").first).to_contain_text("on the same")
    expect(page.locator(".button.primary")).to_have_count(0)
    expect(page.get_by_text("You can undo this: roll back to version 1 at any time.")).to_be_visible()
    headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert headings[0].startswith("Repaired: version 4 is right, version 1 is wrong"), "pictures come before figures"
    expect(page.locator(".exchange")).to_contain_text(headings[0].split()[-1] + " repaired")
    assert headings[2] == "Gates"
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    look(page, page.url)
    page.keyboard.press("Escape")
    reach(page, "Plots for “serious”")
    page.keyboard.press("Enter")
    reach(page, "Table of values")
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Recall", exact=True)).to_be_visible()
    look(page, page.url)

    page.reload()
    follow(page, "Use it anyway", "Version 4 of serious")
    reach(page, "Reason")
    page.keyboard.type("Much better on the same audits")
    follow(page, "Use version 4", "Version 4 of serious")
    expect(page.get_by_text("An enforced gate was not passed")).to_be_visible()
    reach(page, "Override the gates")
    page.keyboard.press("Space")
    follow(page, "Use version 4", "Putting version 4 into use")
    expect(page.get_by_text("No worker is running")).to_be_visible()
    work(settings)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Version 4 is now in use")
    look(page, page.url)

    follow(page, "Version 4", "serious, version 4")
    expect(page.get_by_text("600 images")).to_be_visible()
    follow(page, "History", "History")
    expect(page.get_by_text("overrode gate audit_answers")).to_be_visible()
    follow(page, "Roll back", "In use: back to version 1")
    reach(page, "Reason")
    page.keyboard.type("False alarms on horror")
    follow(page, "Roll back to version 1", "History")
    expect(page.get_by_role("status").first).to_contain_text("serious@champion is version 1 (was 4).")
    assert [(line.action, line.version) for line in history(settings, "serious")] == [
        ("promote", 1), ("promote", 4), ("rollback", 1),
    ]  # fmt: skip
    assert not complaints
    context.close()


def _ours(message: ConsoleMessage) -> bool:
    """Whether the browser complains of what is ours; a form that comes back with a mistake answers 422."""
    return message.type in ("error", "warning") and "422" not in message.text
