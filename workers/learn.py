"""The job `learn`: rounds under the attribute's lease until no answer is left out, and the queues follow each round."""

from __future__ import annotations

import logging
from typing import Any

from threadpoolctl import threadpool_limits

from labeler import attributes, queues
from labeler.jobs import Report
from labeler.label_studio.client import LabelStudio
from labeler.lease import Lease, take
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models import learner
from models.answers import AUDIT
from models.audit import AuditDesign
from models.errors import JobSuperseded
from models.planner import Ask
from models.priors import Prompts
from models.probe import Probe
from workers import queueing, rounds, snapshot
from workers.figures import reserved_rows
from workers.ordering import HEAD, contested, deal, missing, taken
from workers.snapshot import Snapshot

log = logging.getLogger("attune.learn")
AUDIT_REASON = "Drawn to measure how good the probe is; never used to train it."
AUDITS_AHEAD = 5  # answers a queue that audits are drawn ahead for
MOST_ROUNDS = 50  # a flood of answers may not hold one worker for ever; the sweep asks again


def run(settings: Settings, report: Report, attribute: str, size: int | None = None) -> dict[str, Any]:
    """Learn from every answer of ``attribute`` so far and order its queues; ``size`` open tasks a queue.

    Idempotent: without new answers no new run is made. Where another learner holds the attribute nothing is done: it
    goes round again for the newest answers. Raises UnknownAttribute, EmptyPool, LabelStudioUnreachable.
    """
    with reading(settings) as session:
        attribute_id = attributes.find(session, attribute).id
    lease = take(settings, attribute_id)
    if lease is None:
        log.info("learn(%s): another learner is at it and will see every answer", attribute)
        return {"attribute": attribute, "state": "held by another learner"}
    try:
        # One thread: a round's matrices are small, and threads that wait for each other on busy cores cost seconds.
        with threadpool_limits(1):
            return _rounds(settings, report, attribute, lease, size)
    except JobSuperseded as error:
        log.warning("learn(%s): %s", attribute, error)
        return {"attribute": attribute, "state": "superseded"}
    except BaseException:
        lease.abandon()
        raise


def _rounds(settings: Settings, report: Report, attribute: str, lease: Lease, size: int | None) -> dict[str, Any]:
    ls = LabelStudio.connect(settings)
    queues.ensure(settings, ls, attribute)
    for number in range(1, MOST_ROUNDS + 1):
        report(number - 1, number)
        result, counter = one_round(settings, ls, attribute, lease, size or settings.queue_size)
        if lease.release(counter):
            report(number, number)
            return {**result, "rounds": number}
        log.info("learn(%s): answers came meanwhile, round %d follows", attribute, number + 1)
    lease.abandon()
    return {**result, "rounds": MOST_ROUNDS}


def questions(seen: Snapshot, probe: Probe, prompts: Prompts | None, size: int) -> list[Ask]:
    """What to ask whom next, for all queues together: audits that are due soon, then the best for each queue's head.

    Audits are drawn only for the next few answers: drawn later, they follow a better probe's scores.
    """

    def plan(n: int, design: AuditDesign | None) -> list[Ask]:
        return learner.plan(
            seen.view.pool,
            probe,
            seen.training,
            taken(seen),
            n,
            seen.learner,
            seen.seed,
            prompts,
            design,
            contested(seen),
        )

    if not seen.queues:
        return []
    audits = [
        *forgotten(seen),
        *(ask for ask in plan(AUDITS_AHEAD * len(seen.queues), seen.design) if ask.purpose == AUDIT),
    ]
    return [*audits, *plan(sum(max(HEAD, lacking) for lacking in missing(seen, size).values()), None)]


def forgotten(seen: Snapshot) -> list[Ask]:
    """Audits that were drawn and that nobody was asked: the round that drew them ended before it could ask."""
    rows = reserved_rows(seen)
    ids = seen.view.pool.asset_ids[rows].tolist()
    drawn = rows[seen.design.drawn(ids)] if len(rows) else rows
    held = {task.row for task in seen.asked} | set(seen.answered.tolist())
    names = [(int(row), str(seen.view.pool.asset_ids[row])) for row in drawn if int(row) not in held]
    return [Ask(row, name, AUDIT, 1.0, AUDIT_REASON, seen.design.inclusion(name)) for row, name in names]


def one_round(
    settings: Settings, ls: LabelStudio, attribute: str, lease: Lease, size: int
) -> tuple[dict[str, Any], int]:
    """Snapshot, fit, evaluate, record, choose, and put the queues in order; the result and the counter it covers."""
    seen = snapshot.take(settings, attribute)
    prompts = rounds.phrases(settings, seen.attribute)
    learned = rounds.learn(settings, seen, prompts, lease)
    plans = deal(seen, questions(seen, learned.probe, prompts, size), size)
    with writing(settings) as session:
        # Before the questions leave: an audit's probability must be on disk when its answer can come back.
        lease.check(session)
        session.get_one(type(seen.attribute), seen.attribute.id).audit_state = seen.design.to_bytes()
    asked = queueing.apply(settings, ls, seen, plans, learned, lease)
    log.info("learn(%s): run %d, %d answers, %d new questions", attribute, learned.run, seen.count, asked)
    result = {
        "attribute": attribute,
        "state": "learned" if learned.fresh else "nothing new",
        "run": learned.run,
        "answers": seen.count,
        "average_precision": learned.metrics.get("average_precision"),
        "queues": {seen.experts[queue.expert_id]: queues.link(settings, queue) for queue in seen.queues},
        "asked": asked,
        "open": sum(len(plan.order) for plan in plans),
    }
    return result, seen.attribute.answers_counter
