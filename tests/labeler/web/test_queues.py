"""Owners stop, start and ask one expert's queue; the expert reads that it is paused, and nothing of the others."""

from __future__ import annotations

import re

import pytest

from attune.labeler.answers import ingest
from attune.labeler.records.schema import Attribute, Expert, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from tests.labeler.web.conftest import Actor
from tests.support import factories

MANAGE = "/attributes/romance/manage"


@pytest.fixture(autouse=True)
def queues(settings: Settings, romance: Attribute, ana: Expert, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ana's queue with three images, Bo's with one."""
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    assets = factories.add_assets(settings, 4)
    mine, others = (
        factories.add_queue(settings, romance, one) for one in (ana, factories.add_expert(settings, "bo@example.org"))
    )
    for asset in assets[:3]:
        factories.add_task(settings, mine, asset)
    factories.add_task(settings, others, assets[3])


def words(page: str) -> str:
    """What people read of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def press(owner: Actor, what: str, email: str = "ana@example.org") -> str:
    assert owner.send(f"/attributes/romance/queues/{what}", form=MANAGE, email=email).status_code == 302
    return words(owner.get(MANAGE).text)


def test_an_owner_sees_each_queue_and_stops_and_starts_it(settings: Settings, owner: Actor) -> None:
    shown = words(owner.get(MANAGE).text)
    assert re.search(r"Ana ana@example.org 3 0 – – Open Stop", shown)
    assert re.search(r"Bo bo@example.org 1 0 – – Open Stop", shown)
    shown = press(owner, "stop")
    assert "The queue of ana@example.org for romance is stopped. 3 images that waited can now go to other" in shown
    assert re.search(r"Ana ana@example.org 0 0 – – Stopped by olga@example.org, .{1,20} Start", shown)
    assert "already stopped" in press(owner, "stop")
    assert "is started" in press(owner, "start")
    with reading(settings) as session:
        assert session.query(Queue).filter(Queue.stopped_at.is_not(None)).count() == 0


def test_the_expert_reads_in_plain_words_that_the_queue_is_paused(owner: Actor, expert: Actor) -> None:
    assert "Start labelling" in expert.get("/").text
    press(owner, "stop")
    for path in ("/", "/attributes/romance"):
        page = expert.get(path).text
        assert "An owner has paused" in words(page)
        assert "Start labelling" not in page
        assert "Bo" not in words(page)
        assert "olga" not in page
    assert expert.get("/attributes/romance/label").status_code == 200, "answers of before can be corrected there"
    sheet = expert.get("/attributes/romance/label/next").json
    assert (sheet["paused"], sheet["questions"], sheet["left"]) == (True, [], 0)
    assert expert.get("/attributes/romance/pages/next").json["paused"]
    refused = expert.send("/attributes/romance/pages", form="/account")
    assert refused.status_code == 403
    assert "paused romance for you" in words(refused.text)
    press(owner, "start")
    assert "Start labelling" in expert.get("/").text


def test_with_every_queue_stopped_the_next_step_is_to_start_one(owner: Actor) -> None:
    press(owner, "stop")
    press(owner, "stop", "bo@example.org")
    page = owner.get("/attributes/romance").text
    assert "Every queue is stopped" in page
    assert f'href="{MANAGE}#h-queues"' in page


def test_a_stopped_queue_is_not_asked_for_more(owner: Actor) -> None:
    press(owner, "stop")
    assert "has a stopped queue for romance" in press(owner, "ask")
    assert "has no queue for romance" in press(owner, "ask", "chidi@example.org")
