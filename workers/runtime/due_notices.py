"""The beat's share of telling people: notices that are due are recorded, and a worker is asked to send them."""

from __future__ import annotations

from redis import Redis
from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.notices import gate_rules, rules
from attune.labeler.records.schema import Job, Notice
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now

GATES_SECONDS = 600  # between two times that one attribute's newest run is held against the gates


def ask(settings: Settings, connection: Redis) -> dict[str, int]:
    """Record what happened, and enqueue one job that sends what is due and judges candidates by the gates."""
    recorded = rules.watch(settings)
    hopeful = [
        name
        for name in gate_rules.candidates_to_judge(settings)
        if connection.set(f"attune:gates:{name}", "1", nx=True, ex=GATES_SECONDS)
    ]
    with reading(settings) as session:
        due = session.scalar(select(Notice.id).where(Notice.due_at <= now()).limit(1)) is not None
        waiting = select(Job.id).where(Job.kind == "notify", Job.state.in_(("queued", "running"))).limit(1)
        busy = session.scalar(waiting) is not None
    if hopeful or (due and not busy):
        jobs.enqueue(settings, "notify", gates=hopeful)
    return {"told": recorded}
