"""The learn lock: one learner at a time an attribute, and no answer left out of the next round.

A lease has a time limit and a fencing token (a counter in the records). A learner whose lease ran out, or whose
worker was killed while its own process lived on, finds that its token is no longer current and may write nothing.
Releasing succeeds only where no answer came since the round's snapshot; a learner that fails to goes round again.
While its work continues a learner renews the lease in the background, however long a fit or a cold encoder takes.
After Kleppmann, "How to do distributed locking" (2016), fencing tokens.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psutil
from sqlalchemy import ColumnElement, CursorResult, or_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import JobSuperseded

log = logging.getLogger("attune.lease")
LIFETIME = timedelta(seconds=90)
LONGEST = timedelta(hours=2)  # of one learner's work; one that hangs longer is given up


@dataclass(frozen=True)
class Lease:
    """The right to write for one attribute, as long as ``token`` is current."""

    settings: Settings
    attribute_id: int
    token: int

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that renews the lease first: what the block writes commits with the renewal or not at all.

        Raises JobSuperseded where a newer learner holds the attribute.
        """
        with writing(self.settings) as session:
            self._check(session)
            yield session

    def _check(self, session: Session) -> None:
        renewed = session.execute(
            update(Attribute)
            .where(Attribute.id == self.attribute_id, Attribute.lease_token == self.token)
            .values(lease_until=now() + LIFETIME)
        )
        if _rows(renewed) != 1:
            raise JobSuperseded(
                f"Another worker is training attribute {self.attribute_id} now (lease {self.token} has "
                "expired). This job wrote nothing. The other worker uses all answers. You do not need to do "
                "anything."
            )

    def renew(self) -> None:
        """Renew in a transaction of its own, before something outside the records is changed."""
        with self.writing():
            pass

    @contextmanager
    def kept(self, every: timedelta = LIFETIME / 3) -> Iterator[None]:
        """Renew in the background while the block runs, ``every`` so often, and until a newer learner takes over."""
        done = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(done, every), name="lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def _keep(self, done: threading.Event, every: timedelta) -> None:
        for _ in range(int(LONGEST / every)):
            if done.wait(every.total_seconds()):
                return
            try:
                self.renew()
            except JobSuperseded:
                return  # the learner hears of it at its next write
            except SQLAlchemyError as error:
                log.warning("the lease on attribute %d was not renewed: %s", self.attribute_id, error)

    def release(self, learned: int) -> bool:
        """Give the lease back if no answer came since ``learned``; False means: go round again."""
        with self.writing() as session:
            released = session.execute(
                update(Attribute)
                .where(
                    Attribute.id == self.attribute_id,
                    Attribute.lease_token == self.token,
                    Attribute.answers_counter == learned,
                )
                .values(lease_until=None, lease_holder=None, learned_counter=learned)
            )
            return _rows(released) == 1

    def abandon(self) -> None:
        """Give the lease back after a failure, if it is still ours, so that a retry need not wait for its end."""
        with writing(self.settings) as session:
            session.execute(
                update(Attribute)
                .where(Attribute.id == self.attribute_id, Attribute.lease_token == self.token)
                .values(lease_until=None, lease_holder=None)
            )


def acquire_lease(settings: Settings, attribute_id: int) -> Lease | None:
    """The lease on an attribute, or None where a living learner holds it (which will see every answer so far)."""
    with writing(settings) as session:
        attribute = session.get_one(Attribute, attribute_id)
        before = attribute.lease_token
        free = is_free()
        if attribute.lease_holder and not _lives(attribute.lease_holder):
            free = Attribute.lease_holder == attribute.lease_holder
        acquired = session.execute(
            update(Attribute)
            .where(Attribute.id == attribute_id, Attribute.lease_token == before, free)
            .values(lease_token=before + 1, lease_holder=_holder(), lease_until=now() + LIFETIME)
        )
        return Lease(settings, attribute_id, before + 1) if _rows(acquired) == 1 else None


def is_free() -> ColumnElement[bool]:
    """Whether an attribute's lease is given back, has run out, or ends later than any could: a clock was set back."""
    until = Attribute.lease_until
    return or_(until.is_(None), until < now(), until > now() + 2 * LIFETIME)


def _rows(result: object) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def _lives(holder: str) -> bool:
    host, pid, started = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return True  # cannot be seen from here: only its time limit tells
    try:
        process = psutil.Process(int(pid))
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - float(started)) < 1
    except psutil.NoSuchProcess:
        return False
