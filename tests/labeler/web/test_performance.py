"""Performance in by browser: columns of any name, rows that are left out, and who may send."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from attune.labeler.assets import uploads
from attune.labeler.jobs import jobs
from attune.labeler.people import tokens
from attune.labeler.performance import imports, uploaded
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from tests.labeler.web.conftest import Actor
from tests.labeler.web.test_uploads import ask, begun, put, told

FILE = (
    "Image,Film;Series,Placement,Views,Clicks\n"
    "p1,glass harbour,home,1000,50\np2,glass harbour,home,900,20\np3,blue,home,10,99\n"
)
CHOSEN = {
    "asset_id": "Image",
    "title_id": "Film;Series",
    "canvas": "Placement",
    "impressions": "Views",
    "takes": "Clicks",
}


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LEFT_FREE", 0)  # a temporary folder may be small


def sent(actor: Actor, text: str = FILE) -> str:
    """A file that came whole; the address of its page."""
    upload = begun(actor)
    put(actor, upload, text.encode(), name="week 3.csv")
    return str(told(ask(actor, "POST", f"{upload}/finish", data={"count": "1", "for": "performance"}))["page"])


def work(settings: Settings) -> None:
    """Do the import that waits, as a worker would."""
    with reading(settings) as session:
        job = session.scalars(select(Job).where(Job.kind == uploaded.KIND, Job.state == "queued")).one()
    try:
        result = jobs.run_here(settings, job.kind, jobs.quiet, **job.arguments)
    except DataError as error:
        jobs.fail(settings, job.id, str(error))
        return
    jobs.finish(settings, job.id, result)


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_file_with_columns_of_its_own_goes_in_and_says_what_was_left_out(owner: Actor, settings: Settings) -> None:
    page = sent(owner)
    first = owner.get(page).text
    assert "glass harbour" in first, "the first rows help to tell which column is which"
    assert re.search(r'name="impressions".*?value="Views" selected', first, re.S), "a usual name is proposed"
    refused = owner.send(page, shown="explore", **{**CHOSEN, "title_id": ""})
    assert (refused.status_code, "No column is chosen for title_id" in refused.text) == (422, True)
    assert re.search(r'name="takes".*?value="Clicks" selected', refused.text, re.S), "what was chosen stays"
    for _ in range(2):  # a second press makes no second import
        assert owner.send(page, shown="explore", **CHOSEN).status_code == 302
    assert "Reading the file" in owner.get(page).text
    work(settings)
    said = words(owner.get(page).text)
    assert "2 rows added" in said
    assert "1 row left out: it has more takes than impressions (row 4)." in said
    with reading(settings) as session:
        [row] = imports.active(session)
    assert (row.source, row.added_by, row.impressions) == ("week 3.csv", "olga@example.org", 1900)
    assert row.options["arm"] == "explore"
    assert "week 3.csv" in owner.get("/insights/performance").text
    assert "1 file" not in owner.get("/assets").text, "no upload of images"
    listed = "/insights/performance"
    for reason, says in (("", "The reason is empty"), ("wrong week", "wrong week")):
        owner.send(f"{listed}/{row.id}/remove", form=listed, reason=reason)
        assert says in owner.get(listed).text


def test_images_that_were_not_shown_as_planned_are_told_first_with_the_tests(owner: Actor, settings: Settings) -> None:
    page = sent(owner, FILE.replace("p2,glass harbour,home,900,20", "p2,glass harbour,home,9000,20"))
    owner.send(page, shown="explore", **CHOSEN)
    work(settings)
    told, rest = owner.get(page).text.split("1 row left out", 1)
    assert "1 of 1 random tests (a title on a canvas each) did not show their images in the planned ratio" in told
    assert re.search(r'<a href="/titles\?title=glass\+?(%20)?harbour">glass harbour</a>', told)
    assert "planned ratio" not in rest


def test_a_file_that_could_not_be_used_may_be_tried_with_other_columns(owner: Actor, settings: Settings) -> None:
    again = sent(owner, FILE.replace("p1", "").replace("p2", "").replace("p3", ""))
    owner.send(again, **CHOSEN)
    work(settings)
    told_why = owner.get(again)
    assert "No row of week 3.csv can be used" in told_why.text
    assert re.search(r'name="takes".*?value="Clicks" selected', told_why.text, re.S)
    assert owner.send(again, **CHOSEN).status_code == 302
    assert "Reading the file" in owner.get(again).text, "the file is still there"
    owner.send(again, delete="yes")
    assert owner.get(again).status_code == 200, "a file that is being read is not deleted"
    other = sent(owner)
    first, _, rest = owner.get(other).text.partition("<summary>Delete this file</summary>")
    assert "Choose another file" in first
    assert 'name="delete"' not in first, "a first press deletes nothing"
    assert 'name="delete"' in rest
    assert owner.send(other, delete="yes").status_code == 302
    assert owner.get(other).status_code == 404


def test_a_file_is_its_senders_and_no_tokens(owner: Actor, admin: Actor, app: Flask, settings: Settings) -> None:
    page = sent(owner)
    assert admin.get(page).status_code == 404
    robot = Actor(app)
    robot.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {tokens.issue(settings, 'robot', 'owner')}"
    reply = robot.get(page)
    assert (reply.status_code, "attune performance add" in reply.text) == (403, True)


def test_columns_are_proposed_by_their_usual_names() -> None:
    assert uploaded.propose(["artwork", "title_id", "slot", "Views", "plays", "start"]) == {
        "asset_id": "artwork", "title_id": "title_id", "canvas": "slot", "impressions": "Views", "takes": "plays",
    }, "one end of a period is none"  # fmt: skip
    assert uploaded.propose(["Poster", "Series"]) == {"asset_id": "Poster", "title_id": "Series"}
    assert uploaded.propose(["Start Date", "End-Date"]) == {"period_start": "Start Date", "period_end": "End-Date"}
    good = uploaded.Choice(CHOSEN)
    uploaded.check("f.csv", good)
    for bad in (replace(good, one_chance=True), replace(good, columns={**CHOSEN, "period_end": "Views"})):
        with pytest.raises(DataError):
            uploaded.check("f.csv", bad)
