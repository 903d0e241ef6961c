"""Promote, roll back and retire by form: a reason for each, one history, and a good word for whoever comes second."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from attune.labeler.catalog import gate_bounds, kept_review, measure_review
from attune.labeler.catalog.alias_history import history
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.people import tokens
from attune.labeler.records.schema import Attribute, Job, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.clock import now
from attune.workers.runtime.perform import perform
from tests.labeler.catalog import worlds
from tests.labeler.web.conftest import Actor
from tests.support import factories

HIDDEN = re.compile(r'name="(asked_at|expected)"[^>]*value="([^"]*)"')
FORM = "/attributes/serious/promote?version=2"


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Three runs of ``serious``, version 1 champion, a pool of twelve; jobs wait until ``work`` does them."""
    made = worlds.filled(tmp_path / "workspace", redis_url=redis_url)
    worlds.add_assets(made, 12)
    promote(made, Move("serious", 1, "to have one", "olga@example.org"))
    monkeypatch.setenv("ATTUNE_WORKSPACE", str(made.workspace))
    monkeypatch.setenv("ATTUNE_REDIS_URL", redis_url)
    return made


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def bo(app: Flask, settings: Settings) -> Actor:
    """A second owner."""
    factories.add_user(settings, "bo@example.org", "owner")
    return Actor(app, "bo@example.org")


def work(settings: Settings) -> list[str]:
    """Do the jobs that wait, as a worker would; the ids of those that failed."""
    with reading(settings) as session:
        waiting = list(session.scalars(select(Job.id).where(Job.state == "queued").order_by(Job.created_at)))
    failed = []
    for job in waiting:
        try:
            perform(job)
        except Exception:
            failed.append(job)
    return failed


def seen(actor: Actor, path: str) -> dict[str, str]:
    """The hidden fields of a form, as its reader's browser keeps them."""
    reply = actor.get(path)
    assert reply.status_code == 200, reply.text
    return dict(HIDDEN.findall(reply.text))


def lines(settings: Settings) -> list[tuple[str, str | None, int, int | None, str]]:
    return [(line.action, line.alias, line.version, line.before, line.who) for line in history(settings, "serious")]


def test_a_token_queues_no_promotion_which_could_run_after_it_was_revoked(app: Flask, settings: Settings) -> None:
    machine = Actor(app)
    machine.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {tokens.issue(settings, 'nightly', 'owner')}"
    reply = machine.send(FORM, **seen(machine, FORM), alias="champion", reason="better")
    assert reply.status_code == 403
    assert "Log in to promote here, or run the command" in reply.text
    tokens.revoke(settings, "nightly")
    assert work(settings) == []
    assert [line[2] for line in lines(settings)] == [1]


def test_a_promotion_says_what_changes_then_runs_as_a_job_whose_page_tells_the_result(
    owner: Actor, settings: Settings
) -> None:
    form = owner.get(FORM)
    assert "will get version 2 instead of 1." in " ".join(re.sub(r"<[^>]+>", "", form.text).split())
    sent = owner.send(FORM, reason="0.8 on the audit", alias="champion", **seen(owner, FORM))
    assert sent.status_code == 302
    assert "/attributes/serious/moves/publish-" in sent.location
    waiting = owner.get(sent.location)
    assert "Putting version 2 into use" in waiting.text
    assert "No worker is running" in waiting.text
    assert "Programs get version 1 until" in waiting.text
    assert "attune pull serious@champion" not in waiting.text
    assert lines(settings)[-1][2] == 1
    assert not work(settings)
    done = owner.get(sent.location)
    assert "Version 2 is now in use" in done.text
    assert "attune pull serious@champion" in done.text
    assert "data-refresh" not in done.text
    assert lines(settings)[-1] == ("promote", "champion", 2, 1, "olga@example.org")
    page = owner.get("/attributes/serious/versions/2")
    assert "12 images" in page.text
    assert "Download Parquet file" in page.text


def test_a_first_promotion_speaks_of_no_version_before_it(owner: Actor, settings: Settings) -> None:
    sent = owner.send(FORM, reason="to try", alias="challenger", **seen(owner, FORM))
    assert "serious@challenger</span> get no version until" in owner.get(sent.location).text


def test_a_second_click_of_the_same_form_leads_to_the_same_job(owner: Actor, settings: Settings) -> None:
    held = seen(owner, FORM)
    first, second = (owner.send(FORM, reason="r", alias="champion", **held) for _ in range(2))
    assert first.location == second.location
    assert not work(settings)
    assert owner.send(FORM, reason="r", alias="champion", **held).location == first.location
    assert len(lines(settings)) == 2


def test_of_two_owners_at_once_the_second_is_told_who_was_first(owner: Actor, bo: Actor, settings: Settings) -> None:
    mine, theirs = seen(owner, FORM), seen(bo, "/attributes/serious/promote?version=3")
    sent = owner.send(FORM, reason="mine", alias="champion", **mine)
    late = bo.send("/attributes/serious/promote?version=3", reason="theirs", alias="champion", **theirs)
    assert len(work(settings)) == 1
    assert "Version 2 is now in use" in owner.get(sent.location).text
    told = bo.get(late.location).text
    assert "Version 3 was not put into use" in told
    assert "serious@champion is now version 2" in told
    assert "olga@example.org" in told
    assert "mine" in told
    again = bo.send("/attributes/serious/promote?version=3", reason="theirs", alias="champion", **theirs)
    assert again.location == late.location, "the same form"
    fresh = bo.send(
        "/attributes/serious/promote?version=3",
        reason="seen both",
        alias="champion",
        **theirs | {"asked_at": "2026-01-01"},
    )
    assert "/promote" in fresh.location, "an old form is turned away before it becomes a job"
    assert "Nothing was changed" in bo.get(fresh.location).text
    assert [line[2] for line in lines(settings)] == [1, 2]


def test_a_class_without_answers_needs_the_drafts_tick(owner: Actor, settings: Settings) -> None:
    with writing(settings) as session:
        session.query(Run).filter_by(number=2).update({"labels": {"classes": {"serious": 9}}})
    held = seen(owner, FORM)
    assert 'name="draft"' in owner.get(FORM).text
    assert 'name="draft"' not in owner.get("/attributes/serious/promote?version=3").text
    refused = owner.send(FORM, reason="r", alias="champion", override="y", **held)
    assert (refused.status_code, 'id="draft-error"' in refused.text) == (422, True)
    sent = owner.send(FORM, reason="to look at", alias="challenger", draft="y", **held)
    assert not work(settings)
    assert "Version 2 is now challenger" in owner.get(sent.location).text
    for path in ("history", "versions/2", "review?candidate=2"):
        assert '<span class="tag draft">' in owner.get(f"/attributes/serious/{path}").text
    listed = owner.get("/api/v1/probes").json["probes"]
    assert next(one for one in listed if one["attribute"] == "serious")["drafts"] == [2]
    assert owner.get("/api/v1/probes/serious/challenger").json["draft"] is True
    assert "draft" not in owner.get("/api/v1/probes/serious/champion").json


def test_a_gate_that_does_not_apply_is_not_passed(owner: Actor, settings: Settings) -> None:
    told = owner.get("/attributes/serious/review?candidate=1").text
    gate = told[told.index("Not clearly worse than the version in use") :].partition("</li>")[0]
    assert "not applicable" in gate
    assert "outcome passed" not in gate
    lines = owner.get("/api/v1/probes/serious/history").json["history"]
    kept = {gate["name"]: gate for gate in lines[-1]["gates"]}["not_worse_than_champion"]
    assert (kept["passed"], kept["outcome"]) == (None, "not applicable")


def test_an_enforced_gate_stops_the_form_until_its_owner_overrides(owner: Actor, settings: Settings) -> None:
    gate_bounds.change(settings, "serious", "bo@example.org", {"audit_lower_bound": 0.9}, {"audit_lower_bound": True})
    held = seen(owner, FORM)
    refused = owner.send(FORM, reason="r", alias="champion", **held)
    assert refused.status_code == 422
    assert "An enforced gate was not passed" in refused.text
    sent = owner.send(FORM, reason="needed for the demo", alias="champion", override="y", **held)
    assert not work(settings)
    assert "Version 2 is now in use" in owner.get(sent.location).text
    told = owner.get("/attributes/serious/history").text
    assert "overrode gate audit_lower_bound" in told
    assert "needed for the demo" in told


@pytest.mark.parametrize("path", [FORM, "/attributes/serious/rollback", "/attributes/serious/versions/2/retire"])
def test_no_move_without_a_reason_or_with_a_forged_form(owner: Actor, settings: Settings, path: str) -> None:
    promote(settings, Move("serious", 2, "r", "ana"))
    promote(settings, Move("serious", 1, "r", "ana"))
    before = lines(settings)
    held = seen(owner, path)
    empty = owner.send(path, reason="  ", alias="champion", **held)
    assert empty.status_code == 422
    assert 'id="reason-error"' in empty.text
    assert owner.client.post(path, data={"reason": "r", **held}).status_code == 400
    assert lines(settings) == before


def test_the_alias_it_has_already_is_no_promotion(owner: Actor, settings: Settings) -> None:
    path = "/attributes/serious/promote?version=1"
    told = owner.send(path, reason="r", alias="champion", **seen(owner, path))
    assert (told.status_code, "is already champion" in told.text) == (422, True)
    sent = owner.send(path, reason="beside", alias="challenger", **seen(owner, path))
    assert not work(settings)
    assert "Version 1 is now challenger" in owner.get(sent.location).text


def test_roll_back_and_retire_ask_say_and_do(owner: Actor, settings: Settings) -> None:
    promote(settings, Move("serious", 2, "r", "ana"))
    path = "/attributes/serious/rollback"
    assert "In use: back to version 1" in owner.get(path).text
    held = seen(owner, path)
    sent = owner.send(path, reason="false alarms", **held)
    assert sent.location.endswith("/attributes/serious/history")
    owner.send(path, reason="false alarms", **held)  # a second click
    assert lines(settings)[-1] == ("rollback", "champion", 1, 2, "olga@example.org")
    assert len(lines(settings)) == 3
    assert "No earlier version" in owner.get(path).text
    late = owner.send(path, "/attributes/serious/gates", reason="another", **held)
    assert "serious@champion is now version 1" in owner.get(late.location).text
    used = owner.get("/attributes/serious/versions/1/retire")
    assert "Version 1 is in use" in used.text
    gone = owner.send("/attributes/serious/versions/2/retire", reason="wrong labels", **held)
    assert gone.location.endswith("/attributes/serious/versions/2")
    assert "retired" in owner.get(gone.location).text
    assert "is already retired" in owner.get("/attributes/serious/versions/2/retire").text
    assert "cannot use it" in owner.get("/attributes/serious/promote?version=2").text


def test_a_failed_job_says_why_and_where_to_go(owner: Actor, settings: Settings) -> None:
    sent = owner.send(FORM, reason="r", alias="champion", **seen(owner, FORM))
    gate_bounds.change(settings, "serious", "bo", {"audit_lower_bound": 0.9}, {"audit_lower_bound": True})
    assert work(settings)
    told = owner.get(sent.location).text
    assert "Version 2 was not put into use" in told
    assert "audit_lower_bound: 0.600, bound 0.9" in told
    assert ">Review version" in told


def test_the_gates_page_sets_all_or_nothing_and_names_the_field(owner: Actor, settings: Settings) -> None:
    path = "/attributes/serious/gates"
    given = {f"bound-{one.name}": f"{one.bound:g}" for one in gate_bounds.bounds(settings, "serious")}
    wrong = owner.send(path, **given | {"bound-calibration": "much", "bound-audit_answers": "50"})
    assert wrong.status_code == 422
    assert "calibration: &#39;much&#39; is not a possible bound" in wrong.text
    assert 'value="50"' in wrong.text
    assert gate_bounds.bounds(settings, "serious")[0].bound == 30
    right = owner.send(path, **given | {"bound-audit_answers": "50", "enforced-audit_answers": "1"})
    assert right.status_code == 302
    held = gate_bounds.bounds(settings, "serious")[0]
    assert (held.bound, held.enforced, held.by) == (50, True, "olga@example.org")
    assert "set by olga@example.org" in owner.get(path).text


def test_a_large_question_says_that_a_worker_measures_and_then_shows_it(
    owner: Actor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_review, "LARGE", 0)
    review = "/attributes/serious/review?candidate=2"
    for page in (review, FORM, review):
        told = owner.get(page)
        assert told.status_code == 200
        assert "A worker measures how good the version is" in told.text
        assert "data-waiting" in told.text
    with reading(settings) as session:
        assert [job.kind for job in session.scalars(select(Job).where(Job.state == "queued"))] == ["review"], "once"
    assert work(settings) == []
    for page in (review, FORM):
        told = owner.get(page)
        assert "data-waiting" not in told.text
        assert 'id="live-review"' in told.text, "what the waiting page looks for"
    with writing(settings) as session:
        session.query(Attribute).filter_by(name="serious").update({"answers_counter": 5})
    monkeypatch.setattr(measure_review, "RESTS", 1e9)
    assert "Answers came since then. Attune measures again in a few minutes" in owner.get(FORM).text
    monkeypatch.setattr(measure_review, "RESTS", 0)
    assert "Answers came since then. A worker measures again" in owner.get(FORM).text
    held = seen(owner, FORM)
    assert "/moves/" in owner.send(FORM, reason="soon enough", alias="challenger", **held).location
    monkeypatch.setattr(measure_review, "DECIDABLE", timedelta(0))
    sent = owner.send(FORM, reason="0.8 on the audit", alias="champion", **held | {"asked_at": "2026-01-01"})
    assert "data-waiting" in owner.get(sent.location).text, "nobody decides by figures of before the newest answers"
    work(settings)
    told = owner.get(sent.location).text
    assert "Answers came since then" not in told
    assert "Measured <time" in told
    assert "0.8 on the audit" in told, "the reason is not written twice"
    assert "Answers came since then" not in owner.get(review).text


def test_the_newest_run_is_measured_by_looking_with_the_column_that_is_shown(
    owner: Actor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_review, "LARGE", 0)
    monkeypatch.setattr(measure_review, "RESTS", 0)
    measure_review.measure(settings, "serious", 2, "year")
    assert (
        "Version 3 is newer and not measured yet. A worker" in owner.get("/attributes/serious/review?column=year").text
    )
    with reading(settings) as session:
        (job,) = session.scalars(select(Job).where(Job.state == "queued"))
    assert (job.arguments["candidate"], job.arguments["column"]) == ("3", "year")
    with writing(settings) as session:
        session.query(Attribute).filter_by(name="serious").update({"answers_counter": 5})
        session.query(Job).filter_by(id=job.id).update({"state": "lost", "error": "No memory.", "finished_at": now()})
    assert "Answers came since then. It could not be measured. No memory." in owner.get(FORM).text
    assert "The version could not be measured. No memory." in owner.get("/attributes/serious/promote?version=3").text
