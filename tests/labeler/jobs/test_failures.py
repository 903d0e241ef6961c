"""What a program raises reaches no page and no notice: a sentence, an id, what to do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from attune.labeler.jobs import failures, jobs
from attune.labeler.label_studio.client import refused
from attune.labeler.notices import rules
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.jobs import jobs_page
from attune.models.clock import now
from attune.models.errors import DataError, JobError, ServiceDown
from attune.workers.runtime import perform
from tests.support import factories

SQL = IntegrityError("INSERT INTO tasks (id) VALUES (?)", {"id": 7}, Exception("UNIQUE constraint failed: tasks.id"))
RAISED = (
    f"IntegrityError: {SQL}",
    "KeyError: 'asset_id'",
    "ZeroDivisionError: division by zero",
    "Traceback (most recent call last):\n  File x",
    "(sqlite3.OperationalError) database is locked",
    "The catalog does not answer: PermissionError: [Errno 13] Permission denied: '/x'. Check it.",
    "SELECT tasks.id FROM tasks",
    "UPDATE tasks SET state = 1",
)


@pytest.mark.parametrize("text", RAISED)
def test_what_a_program_raised_is_known(text: str) -> None:
    assert failures.is_program_text(text)
    assert failures.shown("learn-1", text) == failures.of_job("learn-1")


@pytest.mark.parametrize(
    "text",
    [
        "The pool is empty: no asset has a vector. Add images with `attune assets add PATH`.",
        "Label Studio does not answer at http://127.0.0.1:8701 (ConnectionError). Start everything with `attune up`.",
        "x.jpg may not be read by this user. Select another file, or delete it from the folder.",
        "Its worker died 3 times, perhaps for lack of memory.",
        "",
    ],
)
def test_our_own_sentences_pass(text: str) -> None:
    assert failures.shown("learn-1", text) == text


@given(st.sampled_from([ValueError, KeyError, OSError, RuntimeError]), st.text(max_size=60))
def test_no_exception_printed_by_name_passes(kind: type[Exception], text: str) -> None:
    assert failures.is_program_text(f"{kind.__name__}: {text}")


def fail(settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception) -> str:
    """The id of a job that stopped with ``error``."""

    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(perform.reader, "build", lambda: settings)
    monkeypatch.setattr(perform.jobs, "run_here", broken)
    job = factories.add_job(settings, "learn", "queued", subject="romance", arguments={"attribute": "romance"})
    with pytest.raises(type(error)):
        perform.perform(job.id)
    return str(job.id)


@pytest.mark.parametrize("error", [SQL, KeyError("secret"), ServiceDown(f"It broke: {SQL}")], ids=("sql", "key", "our"))
def test_a_failed_job_says_its_id_and_no_exception(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    settings = factories.workspace(tmp_path)
    job_id = fail(settings, monkeypatch, error)
    (work,) = jobs_page(settings).groups.items
    with reading(settings) as session:
        (news,) = [one for one in rules.failed(session) if "romance" in one.title]
    with pytest.raises(JobError) as followed:
        jobs.follow(settings, job_id)
    for said in (work.error, news.text, str(followed.value)):
        assert job_id in said
        assert "constraint" not in said
        assert "secret" not in said
        assert not failures.is_program_text(said)


def test_a_foreseen_failure_keeps_its_own_words(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = factories.workspace(tmp_path)
    fail(settings, monkeypatch, DataError("classes: two are needed."))
    assert jobs_page(settings).groups.items[0].error == "classes: two are needed."


def test_records_of_before_are_read_in_words(tmp_path: Any) -> None:
    settings = factories.workspace(tmp_path)
    factories.add_job(settings, "learn", "failed", error=RAISED[0], finished_at=now())
    (work,) = jobs_page(settings).groups.items
    assert work.error == failures.of_job(work.id)
    with reading(settings) as session:
        assert session.query(Job).one().error == RAISED[0], "the records keep it for whoever mends it"


def test_a_fault_of_label_studio_is_told_by_its_number() -> None:
    body = {
        "id": "a-1",
        "detail": "UNIQUE constraint failed: tasks.id",
        "exc_info": "Traceback (most recent call last)",
    }
    said = str(refused(500, body))
    assert "a-1" in said
    assert "UNIQUE" not in said
    assert "UNIQUE" in str(refused(400, body))


def test_an_answer_that_came_too_late_is_told_to_take_the_next_image_and_not_another_token() -> None:
    body = {"detail": "The image of this page was taken away meanwhile. Reload the page to see the next one."}
    late = refused(403, body | {"display_context": {"reason": "PAUSED"}})
    assert late.stale
    assert str(late).endswith("Reload the page to see the next one. Take the next image, and answer that.")
    wrong = refused(403, body)
    assert not wrong.stale
    assert "token of an administrator" in str(wrong)
