"""The page of jobs: what belongs together stands together, and what failed can be tried again, once."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from attune.labeler.assets import uploads
from attune.labeler.jobs import retry
from attune.labeler.records.schema import Attribute, Job, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.jobs import jobs_page
from attune.models.clock import now
from tests.labeler.web.conftest import Actor
from tests.support import factories


def jobs_of(settings: Settings) -> list[tuple[str, str]]:
    with reading(settings) as session:
        return [(job.kind, job.state) for job in session.scalars(select(Job).order_by(Job.id))]


def failed(settings: Settings, kind: str, name: str | None = None, **arguments: object) -> Job:
    arguments = {**({"attribute": name} if name else {}), **arguments}
    at = now() - timedelta(minutes=3)
    facts = {"created_at": at, "finished_at": at + timedelta(seconds=5), "error": "The disk is full. Free some space."}
    return factories.add_job(settings, kind, "failed", subject=name, arguments=arguments, **facts)


def again(owner: Actor, job: Job) -> str:
    """The page after *Try again* was pressed for ``job``."""
    assert owner.send("/jobs/again", form="/account", job=job.id).status_code == 302
    return owner.get("/jobs").text


def test_runs_of_one_kind_are_one_sentence(settings: Settings, owner: Actor) -> None:
    for minutes in range(2, 16):
        at = now() - timedelta(minutes=minutes)
        columns = {"subject": "romance", "created_at": at, "finished_at": at + timedelta(seconds=9)}
        factories.add_job(settings, "learn", "done", arguments={"attribute": "romance"}, **columns)
    for _ in range(3):
        factories.add_job(settings, "sync", "done", finished_at=now())
    page = " ".join(re.sub(r"<[^>]+>", " ", owner.get("/jobs").text).split())
    assert "14 learning runs of romance All went well. The last: 2 min ago ." in page
    assert "3 readings of answers from Label Studio" in page
    assert [(group.kind, group.times) for group in jobs_page(settings).groups.items] == [("sync", 3), ("learn", 14)]


def test_what_waits_or_runs_stands_alone_and_first(settings: Settings) -> None:
    for state, minutes in (("done", 0), ("running", 5), ("queued", 4), ("queued", 6)):
        at = now() - timedelta(minutes=minutes)
        factories.add_job(settings, "learn", state, subject="romance", created_at=at)
    told = [(group.state, group.times) for group in jobs_page(settings).groups.items]
    assert told == [("queued", 1), ("running", 1), ("queued", 1), ("done", 1)]


def test_a_failure_is_a_help_page_until_it_went_well(settings: Settings, owner: Actor, romance: Attribute) -> None:
    failed(settings, "learn", "romance")
    failed(settings, "learn", "romance")
    page = owner.get("/jobs").text
    assert "It failed 2 times" in page
    assert "The disk is full. Free some space." in page
    assert "The probe learns from the newest answers" in page
    assert page.count(">Try again</button>") == 1
    factories.add_job(settings, "learn", "done", subject="romance", finished_at=now())
    page = owner.get("/jobs").text
    assert "It went well since then" in page
    assert "Try again" not in page


def test_a_second_press_makes_no_second_job(settings: Settings, owner: Actor, romance: Attribute) -> None:
    job = failed(settings, "score", "romance", part=3)
    assert "waits for a worker again" in again(owner, job)
    assert "Nothing to try again: the job waits for a worker" in again(owner, job)
    assert jobs_of(settings) == [("score", "queued")]
    with reading(settings) as session:
        row = session.get_one(Job, job.id)
    assert (row.arguments, row.error, row.finished_at) == ({"attribute": "romance", "part": 3}, "", None)
    assert row.created_at > now() - timedelta(minutes=1)


def test_requests_that_differ_are_tried_again_one_by_one(settings: Settings, romance: Attribute) -> None:
    for part in (1, 2, 2):
        failed(settings, "score", "romance", part=part)
    assert sorted(group.times for group in jobs_page(settings).groups.items) == [1, 2]


def test_jobs_whose_input_is_gone_say_so_and_are_not_tried(
    settings: Settings, owner: Actor, romance: Attribute
) -> None:
    ana = factories.add_expert(settings)
    queue = factories.add_queue(settings, romance, ana)
    with writing(settings) as session:
        session.get_one(Queue, queue.id).stopped_at = now()
    gone = {
        "upload": ({"ticket": "0" * 32, "asked_by": 1}, None, "files are not kept any more"),
        "performance": ({"ticket": "0" * 32, "asked_by": 1}, None, "file is not kept any more. Send it again"),
        "import": ({"ticket": "0" * 32, "person": 1}, "romance", "file is not kept any more"),
        "learn": ({}, "dread", "question dread does not exist any more"),
        "score": ({"version": 7}, "romance", "version 7 of romance is retired or gone"),
        "grid": ({"expert": ana.email}, "romance", "queue of ana@example.org is stopped or closed"),
        "join": ({"expert": "bo@example.org"}, None, "bo@example.org is not an expert any more"),
        "publish": ({"version": 7}, "romance", "promote it again"),
        "explore": ({"text": "at night"}, None, "Search again in Explore"),
    }
    for kind, (arguments, name, why) in gone.items():
        job = failed(settings, kind, name, **arguments)
        page = owner.get("/jobs").text
        assert why in page, kind
        assert "Try again<" not in page
        assert why in again(owner, job)
    assert {state for _, state in jobs_of(settings)} == {"failed"}


def test_an_upload_whose_files_are_there_is_taken_in_again(settings: Settings, tmp_path: Path) -> None:
    ticket = uploads.begin(settings, 1)
    job = failed(settings, "upload", ticket=ticket, asked_by=1)
    with reading(settings) as session:
        assert retry.refusal(settings, session, job) == ""


def test_a_job_that_is_not_there_is_named(owner: Actor) -> None:
    owner.send("/jobs/again", form="/account", job="learn-0")
    assert "does not exist any more" in owner.get("/jobs").text
