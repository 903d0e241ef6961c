"""The demo's story, step by step: catalogue, people, answers, a published probe; each step is done once a workspace."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

from sqlalchemy import select

from attune.labeler.attributes import attributes, audit_batches
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.demo import performed, prepare, simulate
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.records.schema import Alias, Attribute, Version
from attune.labeler.records.session import reading
from attune.labeler.sample import SampleAttribute, stock_experts
from attune.labeler.sample.catalogue import Catalogue
from attune.labeler.sample.simulated_experts import Expert as Eye
from attune.labeler.settings import Settings
from attune.models.errors import JobError

FINISHED, WAITING = "serious-expression", "romance"  # the attribute that is labelled, and the one to try
ANSWERS = 120
MEASURING = 40  # answers to an audit batch, beside the demo's others, so that its console shows a figure
CHECK_SHARE = 0.1  # of demo-check's answers, so many measure: it may give no more in all
Progress = Callable[[str], "jobs.Report"]
STEPS = 8  # of the demo: the start of the services is the first, then those that `prepared` reports


def numbered(progress: Progress, first: int) -> Progress:
    """``progress`` with each label under its number among the demo's steps, from ``first`` on."""
    numbers = itertools.count(first)
    return lambda label: progress(f"Step {next(numbers)} of {STEPS}: {label}")


def load(settings: Settings, progress: Callable[[str], Report]) -> Catalogue:
    """Draw, add and embed the sample catalogue."""
    drawn = prepare.catalogue(settings, progress("Drawing the sample images"))
    prepare.assets(settings, drawn, progress("Adding and embedding images"))
    return drawn


def people_and_queues(
    settings: Settings, samples: Sequence[SampleAttribute], who: Sequence[str], progress: Callable[[str], Report]
) -> None:
    """Make attributes, experts and their first batches."""
    prepare.owner(settings)
    for sample in samples:
        prepare.attribute(settings, sample)
    names = [sample.name for sample in samples]
    report = progress(f"Adding experts and queues: {', '.join(names)}")
    for number, name in enumerate(who):
        prepare.expert(settings, name, names)
        report(number + 1, len(who) + len(samples))
    for number, name in enumerate(names):
        jobs.ask(settings, "learn", attribute=name)
        report(len(who) + number + 1, len(who) + len(samples))


def prepared(settings: Settings, answers: int, progress: Callable[[str], Report]) -> int:
    """Everything that the demo shows: the catalogue, people, one labelled and published attribute, whose version is
    returned, and one that waits for the newcomer.

    Killed at any moment and called again, it continues where it was: each step skips what is done.
    """
    version = published(settings, FINISHED)
    if version is None:
        samples, step = prepare.samples(), numbered(progress, 2)
        catalogue = load(settings, step)
        people_and_queues(settings, [samples[FINISHED]], prepare.SIMULATED, step)
        people_and_queues(settings, [samples[WAITING]], [prepare.NEWCOMER], step)
        report = step(f"Simulated experts answer: {FINISHED}")
        version = label(settings, catalogue, FINISHED, answers + MEASURING, report, MEASURING)
    last = numbered(progress, STEPS - 1)
    report = last("Publishing the probe and scoring the pool")
    publish(settings, FINISHED, version, "the demo's simulated experts are done")
    report(1, 1)
    report = last("Making up performance and answering three questions")
    performed.add(settings, prepare.catalogue(settings, report), report)
    return version


def label(settings: Settings, catalogue: Catalogue, name: str, answers: int, report: Report, measuring: int = 0) -> int:
    """Let the simulated experts give ``answers`` answers in all, the last ``measuring`` of them to an audit batch; the
    number of the newest run, which has seen everything.

    Those that were given before count: a demo that was killed gives only what is missing.
    """
    eyes = stock_experts(catalogue)
    jobs.ask(settings, "sync", attribute=name)  # no webhook of a killed demo's last answers may have come
    _answer(settings, name, eyes, answers - measuring, answers, report)
    if measuring:
        if _asked_to_measure(settings, name) < measuring:
            audit_batches.request(settings, name, measuring)
        _learned(settings, name)
        _answer(settings, name, eyes, answers, answers, report)
    jobs.ask(settings, "sync", attribute=name)
    return _learned(settings, name)


def _answer(settings: Settings, name: str, eyes: tuple[Eye, ...], until: int, total: int, report: Report) -> None:
    before = simulate.answer_count(settings, name)
    if before < until:
        simulate.answer_all(settings, name, eyes, until - before, lambda n: report(before + n, total))


def _asked_to_measure(settings: Settings, name: str) -> int:
    with reading(settings) as session:
        return audit_batches.AuditRequest.of(attributes.find(session, name)).extra


def _learned(settings: Settings, name: str) -> int:
    """Wait for the round that has seen everything; its run's number. Raises JobError where it takes two minutes."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        answers_counter, learned = simulate.counters(settings, name)
        if learned >= answers_counter:
            break
        jobs.ask(settings, "learn", attribute=name)
        time.sleep(0.2)
    while True:
        done = jobs.ask(settings, "learn", attribute=name)
        if "run" in done:
            return int(done["run"])
        if time.monotonic() > until + 60:
            raise JobError(
                f"No run of {name} ended within 2 minutes: {done['state']}. Read the logs in {settings.logs}, "
                "then start the demo again."
            )
        time.sleep(0.5)  # another learner is at it


def publish(settings: Settings, name: str, version: int, reason: str) -> None:
    """Promote to champion and score the whole pool, each unless it is done."""
    if published(settings, name) != version:
        promote(settings, Move(name, version, reason, prepare.OWNER, override=True))
    with reading(settings) as session:
        mine = (Version.attribute_id == attributes.find(session, name).id, Version.version == version)
        scored = session.scalar(select(Version.scored_at).where(*mine)) is not None
    if not scored:
        jobs.ask(settings, "score", attribute=name, version=version)


def published(settings: Settings, name: str) -> int | None:
    """The champion's version, or None."""
    with reading(settings) as session:
        return session.scalar(
            select(Alias.version)
            .join(Attribute, Attribute.id == Alias.attribute_id)
            .where(Attribute.name == name, Alias.alias == "champion")
        )
