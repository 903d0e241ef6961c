"""Many experts who answer at once, two workers, and no clock but the one here: every answer is learned from soon."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.labeler.jobs import jobs
from attune.workers.jobs.learn import MOST_ROUNDS
from attune.workers.runtime import queue_priority
from attune.workers.runtime import worker as main

TICK, READING, ROUND, SYNC = 0.05, 0.25, 0.7, 2.0  # seconds; guesses of the size that these jobs have
EVERY, SYNC_EVERY, MINUTES = 4.0, 30.0, 20


@dataclass
class Worker:
    """One worker, and what it does now."""

    job: str = ""
    line: str = ""  # of the job that it took last, and may go on with by a round
    until: float = 0.0
    other_at: float = -1e9
    rounds: int = 0
    seen: list[float] = field(default_factory=list)


class Workplace:
    """The lines, the workers and the answers; times are seconds. Each job's work is done when it ends."""

    def __init__(self, experts: int, forged: int = 0, questions: int = 1, slower: float = 1.0) -> None:
        self.at, self.experts, self.forged, self.questions = 0.0, experts, forged, questions
        self.reading, self.round, self.sync = READING * slower, ROUND * slower, SYNC * slower
        self.workers = [Worker(), Worker()]
        self.waiting: dict[str, list[str]] = {name: [] for name in jobs.QUEUES}
        self.given: dict[int, list[float]] = {number: [] for number in range(experts)}
        self.read: dict[str, list[float]] = {f"learn {number}": [] for number in range(questions)}
        self.learning: set[str] = set()
        self.rounds: dict[str, list[float]] = {job: [] for job in self.read}
        self.delays: list[float] = []
        self.read_delays: list[float] = []
        self.sync_delays: list[float] = []
        self.synced_at: float | None = None

    def run(self) -> None:
        for tick in range(int(MINUTES * 60 / TICK)):
            before, self.at = self.at, tick * TICK
            self._answers(before)
            for worker in self.workers:
                if worker.until <= self.at:
                    self._end(worker)
                    if not worker.job and worker.line not in ("", jobs.HINTS):
                        worker.line, worker.other_at = "", self.at
                    if not worker.job:
                        self._begin(worker)

    def _answers(self, before: float) -> None:
        for number in range(self.experts):
            first = number * EVERY / self.experts
            if (self.at - first) // EVERY > (before - first) // EVERY:
                self.given[number].append(self.at)
                self._ask(jobs.HINTS, f"read {number}")
        for number in range(self.forged):
            self._ask(jobs.HINTS, f"read {self.experts + number}")
        if self.at // SYNC_EVERY > before // SYNC_EVERY and self.synced_at is None:
            self.synced_at = self.at
            self._ask("learn", "sync")

    def _ask(self, line: str, what: str) -> None:
        if what not in self.waiting[line]:
            self.waiting[line].append(what)

    def _begin(self, worker: Worker) -> None:
        for line in queue_priority.in_order(self.waiting, self.at - worker.other_at):
            if self.waiting[line]:
                worker.job = self.waiting[line].pop(0)
                break
        else:
            return
        worker.line = line
        if worker.job in self.read:
            self._learn(worker, worker.job)
        elif worker.job == "sync":
            self.sync_delays.append(self.at - (self.synced_at or 0.0))
            self.synced_at, worker.until = None, self.at + self.sync
        else:
            worker.until = self.at + self.reading
            worker.seen = self.given.get(int(worker.job.split()[1]), [])[:]

    def _learn(self, worker: Worker, question: str) -> None:
        worker.job = ""
        if question not in self.learning:  # otherwise the other learner goes round again
            self.learning.add(question)
            worker.job, worker.until, worker.seen = question, self.at + self.round, self.read[question][:]

    def _end(self, worker: Worker) -> None:
        job, worker.job = worker.job, ""
        if job in self.read:
            self.learning.remove(job)
            self.rounds[job].append(self.at)
            self.delays += [self.at - one for one in worker.seen]
            self.read[job] = self.read[job][len(worker.seen) :]
            worker.rounds += 1
            others_wait = any(self.waiting.values())
            if not self.read[job]:
                worker.rounds = 0
            elif worker.rounds < MOST_ROUNDS and not queue_priority.gives_way(others_wait, worker.rounds * self.round):
                self._learn(worker, job)
            else:
                worker.rounds = 0
                self._ask("learn", job)
        elif job.startswith("read") and worker.seen:
            given = self.given[int(job.split()[1])]
            new = [one for one in worker.seen if one in given]
            self.given[int(job.split()[1])] = [one for one in given if one not in new]
            self.read_delays += [self.at - one for one in new]
            question = f"learn {int(job.split()[1]) % self.questions}"
            self.read[question] += new
            ended = self.rounds[question]
            last = (timedelta(seconds=self.at - ended[-1]), timedelta(seconds=self.round)) if ended else None
            if queue_priority.learns_now(bool(self.waiting[jobs.HINTS]), last):
                self._learn(worker, question)
            else:
                self._ask("learn", question)


@pytest.mark.parametrize(
    ("experts", "forged", "seconds"), [(1, 0, 1.5), (5, 0, 3), (20, 0, 12), (30, 0, 15), (20, 20, 15)]
)
def test_however_many_answer_each_answer_is_learned_from_soon(experts: int, forged: int, seconds: float) -> None:
    """Twenty minutes. With 30 experts there was no round at all, and with 20 one after up to 28 seconds."""
    place = Workplace(experts, forged)
    place.run()
    given = experts * MINUTES * 60 / EVERY
    assert len(place.delays) > given * 0.98
    assert max(place.delays) < seconds
    rounds = place.rounds["learn 0"]
    gaps = [later - sooner for sooner, later in pairwise(rounds)]
    assert max(gaps) < 8
    assert max(place.sync_delays) < 12, "and the periodic sync has its turn"


def test_where_a_round_takes_long_answers_are_read_and_every_question_is_learned() -> None:
    """Three questions on a machine of a twentieth of the speed: answers waited 240 s to be read, then a round."""
    place = Workplace(8, questions=3, slower=20)
    place.run()
    assert max(place.read_delays) < 120
    assert max(place.delays) < 200
    assert all(len(rounds) > 10 for rounds in place.rounds.values())


@given(st.permutations(jobs.QUEUES), st.floats(0, 60))
def test_only_readings_change_their_place(names: list[str], seconds: float) -> None:
    found = queue_priority.in_order(names, seconds)
    others = [name for name in names if name != jobs.HINTS]
    assert found == (names if seconds <= queue_priority.TURN_SECONDS else [*others, jobs.HINTS])


def test_a_worker_looks_elsewhere_once_it_has_read_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((100.0, 104.0, 106.0, 106.5, 107.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    worker = object.__new__(main.SteadyWorker)
    queues: dict[str, Any] = {name: SimpleNamespace(name=name) for name in jobs.QUICK}
    worker.queues = list(queues.values())
    looked = []
    for taken in ("learn", "hints", "hints", "learn", "hints"):
        worker.reorder_queues(queues[taken])
        looked.append([queue.name for queue in worker._ordered_queues])
    last = [*(name for name in jobs.QUICK if name != "hints"), "hints"]
    assert looked == [list(jobs.QUICK)] * 2 + [last] + [list(jobs.QUICK)] * 2
