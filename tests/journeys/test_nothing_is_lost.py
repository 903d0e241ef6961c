"""Answers while the web app is down, workers killed in the middle of a round: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from sqlalchemy import func, select

from attune.labeler.attributes import attributes
from attune.labeler.demo import simulate
from attune.labeler.demo.prepare import DOMAIN, PASSWORD
from attune.labeler.jobs import jobs
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.records.schema import Annotation, Run
from attune.labeler.records.session import reading
from attune.labeler.sample import stock_experts
from attune.labeler.settings import Settings
from tests.journeys.conftest import ATTRIBUTE, House

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(900)]


def processes(settings: Settings, module: str) -> list[psutil.Process]:
    """The house's own processes that run ``module``."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            mine = process.environ().get("ATTUNE_WORKSPACE") == str(settings.workspace)
            if mine and module in (process.info["cmdline"] or []):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@contextmanager
def down(settings: Settings, module: str) -> Iterator[None]:
    """The part hangs: it takes no request until the block ends."""
    stopped = processes(settings, module)
    assert stopped, f"no process runs {module}"
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            process.send_signal(signal.SIGCONT)


def give(settings: Settings, house: House, name: str, count: int) -> list[int]:
    """Answer ``count`` tasks as the expert ``name``; the annotations' ids."""
    eye = {one.name: one for one in stock_experts(house.drawn)}[name]
    project = simulate._project(settings, ATTRIBUTE, f"{name}@{DOMAIN}")
    given = []
    with ExpertSession.login(settings.label_studio_address, f"{name}@{DOMAIN}", PASSWORD) as person:
        while len(given) < count:
            task = person.next_task(project)
            assert task is not None, f"{name}'s queue is empty after {len(given)} answers"
            value = eye.answer(ATTRIBUTE, task["data"]["asset_id"])
            given.append(person.skip(task["id"]) if value == "skip" else person.answer(task["id"], value))
    return given


def settle(settings: Settings) -> None:
    """Sync, and wait for the round that has seen everything."""
    jobs.ask(settings, "sync", attribute=ATTRIBUTE)
    told = simulate.counters(settings, ATTRIBUTE)[0]
    assert simulate.wait_learned(settings, ATTRIBUTE, told, seconds=90), "the answers were not learned within 90 s"


def times_held(settings: Settings, ids: list[int]) -> Counter[int]:
    with reading(settings) as session:
        rows = session.scalars(select(Annotation.label_studio_id).where(Annotation.label_studio_id.in_(ids)))
        return Counter(found for found in rows if found is not None)


def test_fifteen_answers_while_the_web_app_is_down(house: House) -> None:
    settings = house.settings
    given: dict[str, list[int]] = {}
    with down(settings, "attune.labeler.web.serve"):
        people = [
            threading.Thread(target=lambda name=name: given.update({name: give(settings, house, name, 5)}))
            for name in ("ana", "ben", "chloe")
        ]
        for person in people:
            person.start()
        for person in people:
            person.join()
    ids = [one for some in given.values() for one in some]
    assert len(ids) == 15
    settle(settings)
    assert times_held(settings, ids) == Counter(ids)


def test_a_worker_killed_in_the_middle_of_a_round(house: House) -> None:
    settings = house.settings
    with reading(settings) as session:
        attribute_id = attributes.find(session, ATTRIBUTE).id
    before = newest(settings, attribute_id)
    given = give(settings, house, "ana", 3)
    killed = kill_in_the_middle(settings)
    settle(settings)
    assert killed, "no round could be caught at work"
    assert times_held(settings, given) == Counter(given)
    with reading(settings) as session:
        runs = list(session.scalars(select(Run).where(Run.attribute_id == attribute_id).order_by(Run.number)))
        answers = session.scalar(
            select(func.count())
            .select_from(Annotation)
            .where(Annotation.attribute_id == attribute_id, Annotation.deleted_at.is_(None), Annotation.value != "skip")
        )
    assert [run.number for run in runs] == list(range(1, len(runs) + 1))
    assert [run.token for run in runs] == sorted(run.token for run in runs), "an older learner wrote after a newer one"
    assert [run.answers_counter for run in runs] == sorted(run.answers_counter for run in runs)
    assert runs[-1].number > before
    assert runs[-1].answers <= (answers or 0)


def newest(settings: Settings, attribute_id: int) -> int:
    with reading(settings) as session:
        return session.scalar(select(func.max(Run.number)).where(Run.attribute_id == attribute_id)) or 0


def kill_in_the_middle(settings: Settings, seconds: float = 60) -> bool:
    """Kill -9 the worker whose work-horse holds the lease; the work-horse itself may live on."""
    until = time.monotonic() + seconds
    asked = time.monotonic()
    while time.monotonic() < until:
        with reading(settings) as session:
            holder = attributes.find(session, ATTRIBUTE).lease_holder
        if holder:
            try:
                horse = psutil.Process(int(holder.rsplit(":", 2)[1]))
                worker = horse.parent()
                if worker is not None and "attune.workers.runtime.worker" in " ".join(worker.cmdline()):
                    os.kill(worker.pid, signal.SIGKILL)
                    return True
            except psutil.NoSuchProcess:
                pass
        if time.monotonic() - asked > 5:
            jobs.enqueue(settings, "learn", attribute=ATTRIBUTE)
            asked = time.monotonic()
        time.sleep(0.005)
    return False
