"""The job `learn`: rounds under the attribute's lease until no answer is left out, and the queues follow each round."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError
from threadpoolctl import threadpool_limits

from attune.labeler.answers import ingest
from attune.labeler.attributes import attributes, audit_batches
from attune.labeler.catalog import measure_review
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.jobs.learn_lease import Lease, acquire_lease
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.queues import chosen_first, queues
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import JobSuperseded
from attune.models.labels.class_coverage import missing_sentences, unanswered_classes
from attune.models.probes import learner
from attune.models.probes.priors import Prompts
from attune.models.query.planner import Ask
from attune.workers.rounds import (
    apply_order,
    audit_questions,
    gallery_scores,
    label_errors,
    learning_round,
    pages_of_images,
    scope_groups,
    second_opinions,
    slow_figures,
)
from attune.workers.rounds.audit_questions import Audits
from attune.workers.rounds.queue_plan import HEAD, asked_rows, assign_to_queues, coming_count, missing_by_queue
from attune.workers.rounds.second_opinions import SecondOpinionPlan
from attune.workers.rounds.snapshot import Snapshot, take_snapshot
from attune.workers.runtime import queue_priority

log = logging.getLogger("attune.learn")
MOST_ROUNDS = 50  # a flood of answers may not hold one worker for ever


def run(settings: Settings, report: Report, attribute: str, size: int | None = None) -> dict[str, Any]:
    """Learn from every answer of ``attribute`` so far and order its queues; ``size`` open tasks a queue.

    While answers keep coming it goes round again; where other jobs wait it leaves that to a job behind theirs.
    Idempotent: while answers, definition and what is leaned on stay the same no new run is made. Where another learner
    holds the attribute nothing is done: it goes round again for the newest answers. Raises UnknownAttribute, EmptyPool,
    LabelStudioUnreachable.
    """
    with reading(settings) as session:
        attribute_id = attributes.find(session, attribute).id
    lease = acquire_lease(settings, attribute_id)
    if lease is None:
        log.info("learn(%s): another learner is at it and will see every answer", attribute)
        return {"attribute": attribute, "state": "held by another learner"}
    try:
        # One thread: a round's matrices are small, and threads that wait for each other on busy cores cost seconds.
        with threadpool_limits(1), lease.kept():
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
    chosen_first.hand_out(settings, attribute)
    began = time.monotonic()
    for number in range(1, MOST_ROUNDS + 1):
        report(number - 1, number)
        result, counter, afterwards = one_round(settings, ls, attribute, lease, size or settings.queue_size)
        if lease.release(counter):
            break
        if number == MOST_ROUNDS or queue_priority.gives_way(_others_wait(settings), time.monotonic() - began):
            log.info("learn(%s): answers came meanwhile, and other jobs wait: another job follows", attribute)
            afterwards()  # first, or another worker begins the next round and this one's figures come after its own
            lease.abandon()
            ingest.ask_to_learn(settings, attribute)
            report(number, number)
            return {**result, "rounds": number}
        log.info("learn(%s): answers came meanwhile, round %d follows", attribute, number + 1)
    afterwards()
    report(number, number)
    return {**result, "rounds": number}


def _others_wait(settings: Settings) -> bool:
    with suppress(RedisError):
        waiting = jobs.waiting(settings)
        return any(waiting.get(name) for name in jobs.QUICK)  # what embeds for hours waits for another worker
    return False


def questions(
    snapshot: Snapshot,
    learned: learning_round.Learned,
    prompts: Prompts | None,
    size: int,
    audits: Audits,
    again: SecondOpinionPlan,
) -> list[Ask]:
    """What to ask next, for all queues together: the audits, second opinions, then the best for each queue's head."""
    if not snapshot.queues:
        return []
    n = sum(max(HEAD, lacking) for lacking in missing_by_queue(snapshot, size).values())
    asks = learner.plan(
        snapshot.view.pool,
        learned.probe,
        snapshot.training,
        asked_rows(snapshot),
        n,
        snapshot.learner,
        snapshot.seed,
        prompts=prompts,
        contested=again.rows,
        hidden=snapshot.view.hidden,
    )
    return [*audits.asks, *(again.explain(ask) for ask in asks)]


def one_round(
    settings: Settings, ls: LabelStudio, attribute: str, lease: Lease, size: int
) -> tuple[dict[str, Any], int, Callable[[], None]]:
    """Snapshot, fit, evaluate, record, choose, and put the queues in order.

    The result, the counter it covers, and what may wait until the next learner can begin.
    """
    snapshot = take_snapshot(settings, attribute)
    prompts = learning_round.known_prompts(settings, snapshot)
    learned = learning_round.learn(settings, snapshot, prompts, lease)
    audits = audit_questions.plan_audits(snapshot, learned.probe, learned.pace)
    again = second_opinions.plan_second_opinions(snapshot, learned.probe, prompts)
    asks = questions(snapshot, learned, prompts, size, audits, again)
    plans = assign_to_queues(snapshot, asks, size, audits.experts, again.whom)
    with lease.writing() as session:
        # Before the questions leave: an audit's probability must be on disk when its answer can come back.
        audit_batches.keep_coming(session, snapshot.attribute.id, coming_count(snapshot, audits.asks, plans))
        session.get_one(type(snapshot.attribute), snapshot.attribute.id).audit_state = snapshot.design.to_bytes()
    added = apply_order.apply(settings, ls, snapshot, plans, learned, lease)
    log.info("learn(%s): run %d, %d answers, %d new questions", attribute, learned.run, snapshot.count, added)
    result = _result(settings, snapshot, learned) | {"asked": added, "open": sum(len(plan.order) for plan in plans)}

    def afterwards() -> None:
        if snapshot.measured is not None:  # no probe learns here, so there is nothing to rank, doubt or forecast
            return
        gallery_scores.leave(settings, snapshot, learned.run)
        scope_groups.leave(settings, snapshot, learned.run)
        if learned.fresh and pages_of_images.due(snapshot):
            pages_of_images.record_advice(settings, snapshot, learned.run, learned.probe, prompts)
        due = learned.fresh and slow_figures.due(snapshot)
        # Before the forecast, which says when the next are due: killed between the two, the list is made again.
        # Of many answers the list that experts read is that of the last time, too.
        if due or (not slow_figures.are_many(snapshot) and label_errors.is_owed(settings, snapshot)):
            label_errors.record(settings, snapshot, learned.run, prompts)
        if due:
            slow_figures.record_forecast(settings, snapshot, learned.run, prompts)
        measure_review.leave(settings, attribute, learned.run)

    return result, snapshot.attribute.answers_counter, afterwards


def _result(settings: Settings, snapshot: Snapshot, learned: learning_round.Learned) -> dict[str, Any]:
    """What the job says of a round, its questions apart."""
    classes, labels = snapshot.attribute.classes, learning_round.summary(snapshot)
    return {
        "attribute": snapshot.attribute.name,
        "state": "learned" if learned.fresh else "nothing new",
        "run": learned.run,
        "answers": snapshot.count,
        "unanswered": list(unanswered_classes(classes, labels)),
        "warnings": [
            *missing_sentences(classes, labels),
            *filter(None, [learning_round.prompts_not_embedded(settings, snapshot.attribute)]),
        ],
        "average_precision": learned.metrics.get("average_precision"),
        "queues": {
            snapshot.experts[queue.expert_id]: queues.link(settings, snapshot.attribute.name)
            for queue in snapshot.queues
        },
    }
