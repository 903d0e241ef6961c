"""The scheduler: `python -m attune.workers.runtime.schedule` asks every few seconds for what no event has asked for.

Each beat brings back jobs whose worker died, asks for one sync of all queues and for a learning round wherever answers
wait, and forgets old jobs. A beat that fails is logged, and the next one comes. ``runtime.heartbeat`` says when.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from attune.labeler.answers import ingest
from attune.labeler.assets import uploads
from attune.labeler.jobs import jobs
from attune.labeler.jobs.learn_lease import is_free
from attune.labeler.label_studio import LabelStudio
from attune.labeler.members import kept
from attune.labeler.people import access_log, erase, login_sessions
from attune.labeler.queues import repair
from attune.labeler.recommend import histories
from attune.labeler.records import schema
from attune.labeler.records.schema import Asset, Attribute, Job, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.scope import undo_decisions
from attune.labeler.services import entry_point
from attune.labeler.settings import Settings, old_caches
from attune.models.clock import now
from attune.models.errors import AttuneError
from attune.models.images.decode import READING
from attune.workers.runtime import due_descriptions, due_notices, due_similar, map_newcomers, new_assets
from attune.workers.runtime.heartbeat import Heart
from attune.workers.runtime.lost_jobs import label_studio_answers, requeue_lost, retry_failed
from attune.workers.runtime.worker import prepare_log

log = logging.getLogger("attune.schedule")
ROUTINE = ("sync", "learn", "notify", "similar")
KEPT = "leave"  # for good: a person's page tells of it what is still open
KEPT_ROUTINE, KEPT_OTHERS = timedelta(days=1), timedelta(days=90)
# After a round that failed, and twice as long after each that failed since, up to so many beats.
FIRST_REST, LONGEST_REST, MOST_DOUBLED = timedelta(seconds=1), 10, 20
PATIENCE_SECONDS = 120
MENDED_KEY = "attune:mended:hints"  # another key than of before webhooks had a secret of their own: all are mended
REREAD_REST = timedelta(hours=1)  # before what could not be read is tried again
WHOLE_KEY, WHOLE_SECONDS = "attune:whole-sync", 86_400


def main() -> int:
    """Beat until stopped; the exit code."""
    entry_point.parser("attune.workers.runtime.schedule", __doc__).parse_args()
    return entry_point.run(go_on)


def go_on(settings: Settings) -> None:
    """Beat until stopped."""
    prepare_log(settings.log_level)
    for _ in range(PATIENCE_SECONDS):  # its first start takes a while, and every beat before would be half a beat
        if label_studio_answers(settings):
            break
        time.sleep(1)
    Heart(jobs.connect(settings), partial(beat, settings), settings.sync_seconds).run()


def beat(settings: Settings, recovered: bool = False) -> dict[str, int]:
    """One beat; how much was mended, brought back, asked for and forgotten, by kind.

    ``recovered``: Redis was away just now, so that what it may have lost is looked for more closely and sooner. Raises
    RedisError where Redis does not answer, before anything is asked for.
    """
    connection = jobs.connect(settings)
    connection.ping()
    told: dict[str, int] = {}
    for step in STEPS:
        try:
            told |= step(settings, connection, recovered)
        except (AttuneError, SQLAlchemyError, RedisError) as error:
            log.error("a step of this beat was lost: %s: %s", type(error).__name__, error)
        except Exception:
            log.exception("a step of this beat was lost")
    return told


def mend(settings: Settings, connection: Redis) -> int:
    """Mend the queues in Label Studio once a day, and at the first beat after addresses changed, as ports may."""
    addresses = f"{settings.web_address} {settings.webhook_address} {settings.label_studio_address}"
    if connection.get(MENDED_KEY) == addresses.encode() or not label_studio_answers(settings):
        return 0
    with LabelStudio.connect(settings) as ls:
        mended = repair.repair_all(settings, ls)
    connection.set(MENDED_KEY, addresses, ex=WHOLE_SECONDS)
    return mended


def ask_to_sync(settings: Settings, connection: Redis) -> int:
    """Ask for one sync of all queues, unless one is open or Label Studio is away; once a day for a whole one."""
    with reading(settings) as session:
        open_one = select(Job.id).where(Job.kind == "sync", Job.state.in_(("queued", "running")))
        if session.scalar(open_one.limit(1)):
            return 0
    if not label_studio_answers(settings):
        log.warning("no sync: Label Studio does not answer at %s", settings.label_studio_address)
        return 0
    whole = bool(connection.set(WHOLE_KEY, "1", nx=True, ex=WHOLE_SECONDS))
    jobs.enqueue(settings, "sync", whole=whole)
    return 1


def ask_to_reread(settings: Settings) -> int:
    """Ask for a look at the images of an older reading, unless one is under way or was lately."""
    with reading(settings) as session:
        older = select(Asset.id).where(Asset.reading < READING, Asset.removed_at.is_(None))
        if session.scalar(older.limit(1)) is None:
            return 0
        lately = or_(Job.state.in_(("queued", "running")), Job.created_at > now() - REREAD_REST)
        if session.scalar(select(Job.id).where(Job.kind == "reread", lately).limit(1)):
            return 0
    jobs.enqueue(settings, "reread")
    return 1


def ask_to_learn(settings: Settings) -> int:
    """Ask for a round of every attribute with answers that no round has seen, or a queue in an older run's order.

    Not where a learner is at work, nor where nobody has a queue yet.
    """
    # Correlated by hand: two levels down SQLAlchemy would take the newest run of all attributes.
    newest = select(func.max(Run.number)).where(Run.attribute_id == Attribute.id).correlate(Attribute).scalar_subquery()
    mine = (schema.Queue.attribute_id == Attribute.id) & schema.Queue.closed_at.is_(None)
    behind = exists().where(mine, schema.Queue.stopped_at.is_(None), schema.Queue.order_run < newest)
    with reading(settings) as session:
        wanted = select(Attribute.name).where(
            Attribute.retired_at.is_(None),
            exists().where(mine),
            or_(Attribute.answers_counter > Attribute.learned_counter, behind),
            is_free(),
        )
        names = list(session.scalars(wanted))
        longest = timedelta(seconds=settings.sync_seconds * LONGEST_REST)
        asked = [name for name in names if not rests(session, name, longest, now())]
    for name in asked:
        ingest.ask_to_learn(settings, name)
    return len(asked)


def rests(session: Session, name: str, longest: timedelta, at: datetime) -> bool:
    """Whether rounds of the attribute have failed lately, so that the next one waits: a second, then 2, 4, 8 …

    Only what a worker has tried counts: a round that never reached Redis is ``lost`` and costs no rest.
    """
    mine = (Job.kind == "learn", Job.subject == name, Job.state.in_(("done", "failed")))
    newest = select(Job.state, Job.finished_at).where(*mine).order_by(Job.finished_at.desc()).limit(MOST_DOUBLED)
    tried = session.execute(newest).all()
    failed = list(takewhile(lambda one: one.state == "failed", tried))
    if not failed:
        return False
    rest = min(longest, FIRST_REST * 2 ** (len(failed) - 1))
    return bool(at - rest < failed[0].finished_at <= at + rest)  # later: a clock was set back


def forget(settings: Settings) -> int:
    """Delete the rows of jobs that ended long ago, of the routine ones sooner, and sessions, histories and days of the
    access log that ran out.

    How many jobs.
    """
    old = (Job.finished_at < now() - KEPT_OTHERS) & (Job.kind != KEPT)
    routine = Job.kind.in_(ROUTINE) & (Job.state == "done") & (Job.finished_at < now() - KEPT_ROUTINE)
    with writing(settings) as session:
        login_sessions.sweep(session)
        histories.sweep(session)
    kept.sweep(settings)
    access_log.sweep(settings)
    with writing(settings) as session:
        return int(session.execute(delete(Job).where(or_(old, routine))).rowcount)  # type: ignore[attr-defined]


Step = Callable[[Settings, Redis, bool], dict[str, int]]
# An error in one stops none of the others: a Label Studio that is away must not keep lost jobs from coming back. What
# somebody's answers wait for comes first: mending asks Label Studio about every queue.
STEPS: tuple[Step, ...] = (
    lambda settings, redis, recovered: {"brought_back": requeue_lost(settings, redis, recovered)},
    lambda settings, _, __: {"rounds": ask_to_learn(settings)},
    lambda settings, redis, _: {"mended": mend(settings, redis)},
    lambda settings, _, __: {"undone": undo_decisions.finish_undos(settings)},
    lambda settings, redis, recovered: {"carried": retry_failed(settings, redis, recovered)},
    lambda settings, redis, _: {"syncs": ask_to_sync(settings, redis)},
    lambda settings, _, __: new_assets.ask(settings),
    lambda settings, _, __: map_newcomers.ask(settings),
    lambda settings, _, __: due_similar.ask(settings),
    lambda settings, _, __: {"rereads": ask_to_reread(settings)},
    lambda settings, _, __: {"descriptions": due_descriptions.ask(settings)},
    lambda settings, redis, _: due_notices.ask(settings, redis),
    lambda settings, _, __: {"forgotten": forget(settings)},
    lambda settings, _, __: {"erasures": erase.ask_when_due(settings)},
    lambda settings, _, __: {"old_caches": old_caches.delete(settings)},
    lambda settings, _, __: {"uploads_forgotten": uploads.forget(settings)},
)


if __name__ == "__main__":
    sys.exit(main())
