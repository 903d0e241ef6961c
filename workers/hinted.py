"""The reading that a webhook asks for: one project, what changed in it, and the round that learns from it.

It has no row among the jobs: lost, it costs no more than the wait for the periodic sync, which does the whole work.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError

from labeler import hints, ingest
from labeler import settings as reader
from labeler.jobs import quiet
from labeler.label_studio.client import LabelStudio
from labeler.records.schema import Attribute, Expert, Grid, Queue
from labeler.records.session import reading
from labeler.settings import Settings
from models.clock import now
from models.errors import AttuneError, LabelStudioRefused
from workers import changed, grids, identity, learn, upkeep
from workers.grids import FAREWELL

log = logging.getLogger("attune.hints")


def perform(name: str) -> None:
    """Where rq enters: read what ``name`` (of ``hints.address``) means, and learn from what is new.

    A Label Studio that is away, or an attribute that cannot be learned yet, is logged: the clockwork asks again, by
    jobs whose failures people see.
    """
    settings = reader.build()
    with suppress(RedisError):
        hints.begin(settings, name)
    try:
        attribute = read(settings, name)
        if attribute is None:
            with suppress(RedisError):
                hints.was_in_vain(settings, name)
            return
        log.info("%s: answers are new", name)
        if _others_wait(settings):  # their answers, too, are in the round that comes after them
            ingest.ask_to_learn(settings, attribute)
        else:
            learn.run(settings, quiet, attribute)
    except AttuneError as error:
        log.warning("%s is left to the clockwork: %s", name, error)


def read(settings: Settings, name: str) -> str | None:
    """Read the project that ``name`` means; the attribute's name where a round has something to learn, else None.

    Nothing is read where the project has another mark than ours, nor long after a leaver's last day. Raises
    LabelStudioUnreachable, LabelStudioRefused.
    """
    with reading(settings) as session:
        row = hints.meant(session, name)
        if row is None:
            return None
        attribute = session.get_one(Attribute, row.attribute_id)
        closed = row.closed_at or session.get_one(Expert, row.expert_id).removed_at
    if closed is not None and closed < now() - FAREWELL:
        return None
    with LabelStudio.connect(settings) as ls:
        if not identity.stands(settings, ls, row):
            log.warning("project %d is not ours, or not there: left to the next sync", row.project)
            return None
        news = _queue(settings, ls, row) if isinstance(row, Queue) else _pages(settings, ls, row)
    return attribute.name if news else None


def _queue(settings: Settings, ls: LabelStudio, queue: Queue) -> bool:
    found = changed.read_newest(settings, ls, queue, Addresses(ls))
    deleted, why = upkeep.withdraw_gone(settings, queue, found.gone, whole=False, accept=False)
    if why:
        log.error("%s", why)
    if found.renamed and queue.closed_at is None:
        upkeep.restore_classes(settings, ls, queue)
    return bool(found.changed or deleted)


def _pages(settings: Settings, ls: LabelStudio, grid: Grid) -> bool:
    return bool(grids.read(settings, ls, grid, dict.fromkeys(("changed", "deleted", "left_out"), 0), Addresses(ls)))


def _others_wait(settings: Settings) -> bool:
    with suppress(RedisError):
        return hints.others_wait(settings)
    return False


class Addresses(dict[int, str]):
    """The addresses of Label Studio's users by id, each asked for when an answer of theirs is met."""

    def __init__(self, ls: LabelStudio) -> None:
        super().__init__()
        self._ls = ls

    def get(self, number: int, otherwise: Any = None) -> Any:
        """The address in lower case; ``otherwise`` for nobody."""
        if number not in self:
            try:
                user = self._ls.request("GET", f"/api/users/{number}/")
            except LabelStudioRefused as error:
                if error.status != 404:
                    raise
                user = {}
            self[number] = str(user.get("email") or "").casefold()
        return self[number] or otherwise
