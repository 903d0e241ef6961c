"""One learner at a time, none lost: the lease and its fencing token."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from attune.labeler import settings as reader
from attune.labeler.jobs import learn_lease
from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models import clock
from attune.models.errors import JobSuperseded
from tests.support import databases, factories

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=databases.BOTH)
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    settings = reader.build({}, workspace=tmp_path, database_url=databases.database(request))
    factories.newest(settings)
    with writing(settings) as session:
        session.add(Attribute(id=1, name="romance", question="?", classes=["a", "b"], created_at=NOON))
    yield settings
    engine(settings.records_url).dispose()


def answer(settings: Settings) -> None:
    with writing(settings) as session:
        session.execute(update(Attribute).values(answers_counter=Attribute.answers_counter + 1))


def write_under(held: learn_lease.Lease) -> None:
    with held.writing() as session:
        session.get_one(Attribute, 1).question = "written by the old one"


def counters(settings: Settings) -> tuple[int, int]:
    with reading(settings) as session:
        found = session.get_one(Attribute, 1)
        return found.answers_counter, found.learned_counter


def test_a_second_learner_is_turned_away_while_the_first_lives(records: Settings) -> None:
    assert learn_lease.acquire_lease(records, 1) is not None
    assert learn_lease.acquire_lease(records, 1) is None


def test_an_answer_during_the_round_sends_the_learner_round_again(records: Settings) -> None:
    held = learn_lease.acquire_lease(records, 1)
    assert held is not None
    answer(records)
    assert held.release(learned=0) is False
    assert held.release(learned=1) is True
    assert counters(records) == (1, 1)
    assert learn_lease.acquire_lease(records, 1) is not None


def test_a_learner_that_was_superseded_writes_nothing(records: Settings) -> None:
    with clock.set_clock(lambda: NOON):
        old = learn_lease.acquire_lease(records, 1)
    with clock.set_clock(lambda: NOON + learn_lease.LIFETIME + timedelta(seconds=1)):
        newer = learn_lease.acquire_lease(records, 1)
        assert old is not None
        assert newer is not None
        with pytest.raises(JobSuperseded, match="wrote nothing"):
            write_under(old)
        with pytest.raises(JobSuperseded):
            old.release(learned=0)
        old.abandon()
        newer.renew()
    with reading(records) as session:
        assert session.get_one(Attribute, 1).question == "?"


def test_a_renewed_lease_outlives_its_first_end(records: Settings) -> None:
    with clock.set_clock(lambda: NOON):
        held = learn_lease.acquire_lease(records, 1)
        assert held is not None
    with clock.set_clock(lambda: NOON + learn_lease.LIFETIME / 2):
        held.renew()
    with clock.set_clock(lambda: NOON + learn_lease.LIFETIME * 1.2):
        assert learn_lease.acquire_lease(records, 1) is None


def test_a_long_fit_keeps_the_lease_and_a_finished_one_does_not(records: Settings) -> None:
    with clock.set_clock(lambda: NOON):
        held = learn_lease.acquire_lease(records, 1)
    assert held is not None
    later = NOON + learn_lease.LIFETIME * 0.9
    with clock.set_clock(lambda: later), held.kept(every=timedelta(milliseconds=5)):
        wait_until(records, later + learn_lease.LIFETIME)
    with clock.set_clock(lambda: NOON + learn_lease.LIFETIME * 1.5):
        assert learn_lease.acquire_lease(records, 1) is None
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]


def test_the_keeper_of_a_superseded_learner_takes_nothing_back(records: Settings) -> None:
    with clock.set_clock(lambda: NOON):
        old = learn_lease.acquire_lease(records, 1)
    with clock.set_clock(lambda: NOON + learn_lease.LIFETIME * 2):
        assert old is not None
        newer = learn_lease.acquire_lease(records, 1)
        assert newer is not None
        with old.kept(every=timedelta(milliseconds=1)):
            for thread in threading.enumerate():
                if thread.name == "lease":
                    thread.join(10)
        with reading(records) as session:
            assert session.get_one(Attribute, 1).lease_token == newer.token
        newer.renew()


def test_a_clock_that_was_set_back_does_not_hold_the_lease_for_hours(records: Settings) -> None:
    with clock.set_clock(lambda: NOON + timedelta(hours=5)):
        learn_lease.acquire_lease(records, 1)
    with writing(records) as session:
        session.get_one(Attribute, 1).lease_holder = "another-machine:1:1.0"
    with clock.set_clock(lambda: NOON):
        assert learn_lease.acquire_lease(records, 1) is not None


def wait_until(settings: Settings, until: datetime) -> None:
    """Until the lease ends then."""
    for _ in range(1000):
        with reading(settings) as session:
            if session.get_one(Attribute, 1).lease_until == until:
                return
        threading.Event().wait(0.01)
    raise AssertionError("the lease was not renewed")


def test_the_lease_of_a_killed_process_is_free_at_once(records: Settings) -> None:
    code = (
        "import os, signal, sys\n"
        "from attune.labeler import settings\n"
        "from attune.labeler.jobs import learn_lease as lease\n"
        "assert lease.acquire_lease(settings.build({}, workspace=sys.argv[1], database_url=sys.argv[2]), 1)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(records.workspace), records.records_url], check=False)
    assert done.returncode == -9
    assert learn_lease.acquire_lease(records, 1) is not None
