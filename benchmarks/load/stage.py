"""The workspace that a crowd works in: vectors from a seed, several questions, experts, an owner and a pipeline."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.jobs import jobs
from attune.labeler.people import experts, tokens, users
from attune.labeler.records.schema import Expert, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from benchmarks.round_trip import add_pool

PASSWORD = "a-campaign-of-faults"  # the one that tests.resilience.page_answerer logs in with
OWNER = "owner@load.example"
CLASSES = ("yes", "no")
SHARE = 0.2  # of images that an attribute is true of
ORDERED_SECONDS = 900.0


@dataclass(frozen=True)
class Stage:
    """``queues`` are (address, question, Label Studio project), one for each expert; ``token`` is a pipeline's."""

    settings: Settings
    questions: tuple[str, ...]
    queues: tuple[tuple[str, str, int], ...]
    token: str


def question(number: int) -> str:
    """The name of a question."""
    return f"load-{number}"


def truth(name: str, asset_id: str) -> str:
    """What every expert says: the image's number has a bit for each question."""
    bits = int(asset_id.rpartition("-")[2])
    return CLASSES[0] if bits >> int(name.rpartition("-")[2]) & 1 else CLASSES[1]


def prepare(settings: Settings, pool: int, dim: int, people: int, questions: int, seed: int = 0) -> Stage:
    """Fill the workspace of a running stack, and wait until every queue has an order. Experts answer one question
    each, by turns, so that all questions are answered at once.
    """
    rng = np.random.default_rng(seed)
    is_true = rng.random((pool, questions)) < SHARE
    vectors = rng.standard_normal((pool, dim)) + is_true @ (0.25 * rng.standard_normal((questions, dim)))
    ids = [f"poster-{number:06d}-{bits}" for number, bits in enumerate(is_true @ (1 << np.arange(questions)))]
    add_pool(settings, Fingerprint(library="load", model="crowds", weights=f"seed-{seed}", dimension=dim), ids, vectors)
    names = tuple(question(number) for number in range(questions))
    with writing(settings) as session:
        for name in names:
            attributes.create(session, Definition(name, "Yes or no?", CLASSES), settings)
    for number in range(people):
        experts.add(settings, f"expert{number}@load.example", [names[number % questions]], password=PASSWORD)
    users.create(settings, OWNER, "owner", PASSWORD)
    for name in names:
        jobs.ask(settings, "learn", attribute=name)
    return Stage(settings, names, _ordered(settings, people), tokens.issue(settings, "load"))


def _ordered(settings: Settings, expected: int) -> tuple[tuple[str, str, int], ...]:
    until = time.monotonic() + ORDERED_SECONDS
    while time.monotonic() < until:
        with reading(settings) as session:
            rows = session.scalars(select(Queue).join(Expert).where(Queue.ordered_at.is_not(None))).all()
            found = tuple(sorted((row.expert.email, row.attribute.name, row.project) for row in rows))
        if len(found) == expected:
            return found
        time.sleep(0.5)
    raise TimeoutError(
        f"of {expected} queues {len(found)} had an order after {ORDERED_SECONDS:.0f} s; see {settings.logs}"
    )
