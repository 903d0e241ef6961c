"""Every answer: its id, its headers, its line in the log, and errors that help and leak nothing."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace

import psycopg
import pytest
from flask import Flask
from psycopg.errors import DiskFull
from sqlalchemy import text
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import OperationalError

from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.labeler.web.replies import RequestIds
from tests.labeler.web.conftest import Actor
from tests.support import factories


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/no-such-page", "/static/theme.css"])
def test_every_answer_shuts_the_usual_doors(anybody: Actor, path: str) -> None:
    headers = anybody.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert len(headers["X-Request-ID"]) == 16


def test_pages_are_not_kept_by_anybody(owner: Actor) -> None:
    assert owner.get("/").headers["Cache-Control"] == "no-store"


def test_a_request_keeps_the_id_it_came_with_unless_it_is_odd(anybody: Actor) -> None:
    assert (
        anybody.get("/healthz", headers={"X-Request-ID": "from-the-proxy-1"}).headers["X-Request-ID"]
        == "from-the-proxy-1"
    )
    odd = anybody.get("/healthz", headers={"X-Request-ID": "a b;c=<d>"}).headers["X-Request-ID"]
    assert odd.isalnum()


def test_the_log_line_has_the_id_and_the_name(owner: Actor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(RequestIds())
    with caplog.at_level(logging.INFO, "attune.web"):
        reply = owner.get("/people")
    line = next(record for record in caplog.records if "/people" in record.getMessage())
    assert line.request == reply.headers["X-Request-ID"]
    assert "GET /people 200" in line.getMessage()
    assert "olga@example.org" in line.getMessage()


def test_a_path_that_was_sent_is_one_line_of_the_log(anybody: Actor, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "attune.web"):
        anybody.get("/a%0A2026-01-01 INFO attune.web POST /logout 302")
    assert [record.getMessage().count("\n") for record in caplog.records] == [0]
    assert "GET /a%0A2026" in caplog.text


def test_a_missing_page_names_no_command_to_a_browser_but_does_to_a_machine(owner: Actor) -> None:
    page = owner.get("/attributes/nope").text
    assert "&#39;nope&#39; does not exist" in page
    assert "<code>attune" not in page
    assert "attune attribute list" in owner.get("/attributes/nope", headers={"Accept": "application/json"}).text


def test_a_page_names_its_request_only_where_something_went_wrong(owner: Actor) -> None:
    fine, wrong = owner.get("/"), owner.get("/nope")
    assert fine.headers["X-Request-ID"] not in fine.text
    assert wrong.headers["X-Request-ID"] in wrong.text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/welcome/{}/"), ("PUT", "/welcome/{}"), ("GET", "/media/{}"), ("GET", "/welcome/{}/x")],
)
def test_what_opens_by_itself_is_in_no_log_and_no_address_even_where_it_was_mistyped(
    anybody: Actor, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        reply = anybody.client.open(path.format("S3CR3T-" * 6), method=method)
    assert "S3CR3T" not in caplog.text
    assert "S3CR3T" not in (reply.location or "")


@pytest.mark.parametrize(
    "path", ["answers/{}", "versions/{}", "versions/{}/retire", "promote?version={}", "review?candidate={}"]
)
def test_a_number_that_no_record_can_have_is_not_found(
    settings: Settings, owner: Actor, romance: Attribute, path: str
) -> None:
    factories.add_run(settings, romance, 40)
    assert owner.get("/attributes/romance/" + path.format("9" * 19)).status_code == 404


def test_an_unknown_attribute_proposes_the_near_one(owner: Actor, romance: object) -> None:
    page = owner.get("/attributes/romanc")
    assert page.status_code == 404
    assert "Did you mean &#39;romance&#39;?" in page.text
    machine = owner.get("/attributes/romanc/live", headers={"Accept": "application/json"})
    assert machine.json["error"] == "UnknownAttribute"
    assert machine.json["request"] == machine.headers["X-Request-ID"]


def test_an_unexpected_error_tells_its_number_and_nothing_else(
    app: Flask, owner: Actor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> str:
        raise RuntimeError("password=hunter2")

    monkeypatch.setitem(app.view_functions, "people.page", fails)
    reply = owner.get("/people")
    assert reply.status_code == 500
    assert "hunter2" not in reply.text
    assert reply.headers["X-Request-ID"] in reply.text
    assert "hunter2" in caplog.text


@pytest.mark.parametrize(("cut", "state"), [(True, "57P01"), (False, "40P01")], ids=["cut", "deadlock"])
def test_what_the_database_interrupts_is_to_be_tried_again_and_no_fault_in_the_log(
    cut: bool, state: str, app: Flask, owner: Actor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Refused(Exception):
        sqlstate = state

    def fails() -> str:
        raise OperationalError("SELECT 1", {}, Refused(), connection_invalidated=cut)

    monkeypatch.setitem(app.view_functions, "people.page", fails)
    reply = owner.get("/people", headers={"Accept": "application/json"})
    assert (reply.status_code, reply.json["error"], reply.headers["Retry-After"]) == (503, "ServiceDown", "1")
    monkeypatch.setitem(app.view_functions, "people.answers", fails)
    sent = owner.send("/people/answers", form="/")
    assert sent.status_code == 503
    assert ("may have been done" in sent.text, "Retry-After" in sent.headers) == (cut, not cut), "a commit may be in"
    assert "Traceback" not in caplog.text
    cut, Refused.sqlstate = False, "42P01"
    assert owner.get("/people").status_code == 500, "any other error of a statement is a fault of ours"
    assert "Traceback" in caplog.text


def test_a_postgresql_that_is_down_is_told_as_that_and_is_no_fault_in_the_log(
    app: Flask, owner: Actor, anybody: Actor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the page of the error would show what stands in the records."""
    attune = app.extensions["attune"]
    away = replace(attune.settings, database_url="postgresql+psycopg://attune:hunter2@127.0.0.1:1/attune")
    monkeypatch.setitem(app.extensions, "attune", replace(attune, settings=away))
    page = owner.get("/people")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert "database does not answer" in page.text
    machine = anybody.get("/api/v1/attributes", headers={"Authorization": "Bearer a-token"})
    assert (machine.status_code, machine.json["error"]) == (503, "ServiceDown")
    sent = owner.send("/people/answers", form="/login")
    assert sent.status_code == 503
    assert "may have been done" in sent.text
    assert "Connection refused" in caplog.text
    assert "Traceback" not in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("server", ["sqlite", "postgresql"])
def test_a_commit_that_failed_is_a_fault_of_ours_with_a_trace(
    server: str,
    app: Flask,
    settings: Settings,
    owner: Actor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its error names no statement, as that of a connection that could not be made: a disk is full, say."""
    full = sqlite3.OperationalError if server == "sqlite" else DiskFull

    def no_room(*_: object) -> None:
        raise full("the disk is full")

    def fails() -> None:
        with monkeypatch.context() as meanwhile, writing(settings) as session:
            session.execute(text("SELECT 1"))
            meanwhile.setattr(DefaultDialect, "do_commit", no_room)
            if full is DiskFull:
                meanwhile.setattr(session.get_bind().dialect, "loaded_dbapi", psycopg)

    monkeypatch.setitem(app.view_functions, "people.page", fails)
    page = owner.get("/people")
    assert page.status_code == 500
    assert "does not answer" not in page.text
    assert "Traceback" in caplog.text
    assert "the disk is full" in caplog.text
