"""The reading that a webhook asks for: one project, what changed in it, and the round that learns from it.

It has no row among the jobs: lost, it costs no more than the wait for the periodic sync, which does the whole work.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from attune.labeler import settings as reader
from attune.labeler.answers import hints, ingest
from attune.labeler.answers.annotation_values import moment
from attune.labeler.answers.reading_order import asked_now
from attune.labeler.jobs.jobs import quiet
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.task_address import key_of
from attune.labeler.label_studio.task_changes import TaskState, answered_last
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Grid, Queue, Run, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AttuneError, LabelStudioRefused
from attune.workers.jobs import learn, make_grids
from attune.workers.jobs.make_grids import FAREWELL
from attune.workers.runtime import queue_priority
from attune.workers.sync import changed_tasks, project_identity, upkeep

log = logging.getLogger("attune.hints")
LAST = 4  # answers that are looked at before anything else


def perform(name: str) -> None:
    """Where rq enters: read what ``name`` (of ``hints.address``) means, and learn from what is new.

    A Label Studio that is away, or an attribute that cannot be learned yet, is logged: the scheduler asks again, by
    jobs whose failures people see. So is any other error, with its traceback: no one waits for this reading's end.
    """
    settings = reader.build()
    excused, attribute = True, None
    with suppress(RedisError):
        excused = hints.begin(settings, name)
    try:
        attribute = read(settings, name)
        with suppress(RedisError):
            if attribute is not None:
                hints.clear_empty_readings(settings, name)
            elif not excused:
                hints.count_empty_reading(settings, name)
        if attribute is None:
            return
        log.info("%s: answers are new", name)
        if queue_priority.learns_now(_others_wait(settings), _last_round(settings, attribute)):
            learn.run(settings, quiet, attribute)
        else:  # the answers of the others, too, are in the round that comes after them
            ingest.ask_to_learn(settings, attribute)
    except AttuneError as error:
        log.warning("%s waits for the scheduler: %s", name, error)
    except Exception:
        log.exception("%s waits for the scheduler", name)
        if attribute is not None:  # a job's failure is seen by people; unread answers are the next sync's
            _ask_to_learn(settings, attribute)


def _ask_to_learn(settings: Settings, attribute: str) -> None:
    try:
        ingest.ask_to_learn(settings, attribute)
    except SQLAlchemyError:
        log.exception("learn(%s) waits for the scheduler", attribute)


def read(settings: Settings, name: str) -> str | None:
    """Read the project that ``name`` means; the attribute's name where its answers have changed, else None.

    Nothing is read where the project has another mark than ours, nor long after a leaver's last day. Raises
    LabelStudioUnreachable, LabelStudioRefused.
    """
    with reading(settings) as session:
        row = hints.row_of_name(session, name)
        if row is None:
            return None
        attribute = session.get_one(Attribute, row.attribute_id)
        closed = row.closed_at or session.get_one(Expert, row.expert_id).removed_at
    if closed is not None and closed < now() - FAREWELL:
        return None
    with LabelStudio.connect(settings) as ls:
        if isinstance(row, Grid):
            _pages(settings, ls, row)
        elif not last_answers(settings, ls, row):
            _queue(settings, ls, row)
    with reading(settings) as session:
        counter = session.get_one(Attribute, row.attribute_id).answers_counter
    return attribute.name if counter > attribute.answers_counter else None


def last_answers(settings: Settings, ls: LabelStudio, queue: Queue) -> bool:
    """Import the answers that were given last, which mostly are all that there is to see; whether that was so. One
    request, however large the project is.

    False where someone has to look closer: the last few are all new, so that there may be more; all known, so that
    something else was done, as taking an answer back; or they are not on questions of ours, or by no one that Label
    Studio names. What else has changed is left to the next sync: the moment up to which all was read stays.
    """
    began, asked = changed_tasks.read_until(settings, queue), asked_now(settings)
    fresh = [recent for recent in answered_last(ls, queue.project, LAST) if not _is_known(settings, recent)]
    if not 0 < len(fresh) < LAST or not all(_is_ours(settings, queue, recent) for recent in fresh):
        return False
    people = {
        int(recent["completed_by"] or 0): str(recent["author"]) for state in fresh for recent in state.annotations
    }
    if not all(people.values()):
        return False
    changes = changed_tasks.Changes()
    for state in reversed(fresh):
        changed_tasks.import_task(settings, queue, state, asked, changes, people)
    changed_tasks.record_read_until(settings, queue, began, None, asked.at)
    return bool(changes.changed) and not changes.gone and not changes.renamed


def _is_known(settings: Settings, state: TaskState) -> bool:
    """Whether the records hold the answers on a task as Label Studio shows them."""
    current = {(int(one["id"]), moment(one["updated_at"])) for one in state.annotations}
    stored = select(Annotation.label_studio_id, Annotation.updated_at).where(Annotation.deleted_at.is_(None))
    with reading(settings) as session:
        rows = session.execute(stored.where(Annotation.label_studio_id.in_([number for number, _ in current])))
        return current == {(number, at) for number, at in rows}


def _is_ours(settings: Settings, queue: Queue, state: TaskState) -> bool:
    """Whether a task is a question of the queue, by our key and our image: then its project is the queue's."""
    with reading(settings) as session:
        asked = select(Asset.asset_id).join(Task, Task.asset_pk == Asset.id).where(Task.queue_id == queue.id)
        name = session.scalar(asked.where(Task.key == key_of(state.data)))
    return name is not None and name == state.data.get("asset_id")


def _queue(settings: Settings, ls: LabelStudio, queue: Queue) -> None:
    if not _project_is_ours(settings, ls, queue):
        return
    changes = changed_tasks.read(settings, ls, queue, by_id=Addresses(ls))
    _, why = upkeep.withdraw_gone(settings, queue, changes.gone, whole=False, accept=False)
    if why:
        log.error("%s", why)
    if changes.renamed and queue.closed_at is None:
        upkeep.restore_classes(settings, ls, queue)


def _pages(settings: Settings, ls: LabelStudio, grid: Grid) -> None:
    if _project_is_ours(settings, ls, grid):
        make_grids.sync_pages(settings, ls, grid, dict.fromkeys(("changed", "deleted", "left_out"), 0), Addresses(ls))


def _project_is_ours(settings: Settings, ls: LabelStudio, row: Queue | Grid) -> bool:
    if project_identity.has_mark(settings, ls, row):
        return True
    log.warning("project %d is not ours, or not there: left to the next sync", row.project)
    return False


def _others_wait(settings: Settings) -> bool:
    with suppress(RedisError):
        return hints.others_wait(settings)
    return False


def _last_round(settings: Settings, attribute: str) -> tuple[timedelta, timedelta] | None:
    """How long ago the attribute's last round ended, and how long it took."""
    times = select(Run.started_at, Run.finished_at).join(Attribute, Attribute.id == Run.attribute_id)
    with reading(settings) as session:
        last = session.execute(times.where(Attribute.name == attribute).order_by(Run.number.desc()).limit(1)).first()
    return None if last is None else (now() - last.finished_at, last.finished_at - last.started_at)


class Addresses(dict[int, str]):
    """The addresses of Label Studio's users by id, each asked for when an answer of theirs is met."""

    def __init__(self, ls: LabelStudio) -> None:
        super().__init__()
        self._ls = ls

    def get(self, number: int, otherwise: Any = None) -> Any:
        """The address in lower case; ``otherwise`` for no one."""
        if number not in self:
            try:
                user = self._ls.request("GET", f"/api/users/{number}/")
            except LabelStudioRefused as error:
                if error.status != 404:
                    raise
                user = {}
            self[number] = str(user.get("email") or "").casefold()
        return self[number] or otherwise
