"""Each queue's project in Label Studio has one member, its expert; a closed one, and that of who is shut out, none.

Nor is a login open there of somebody who is out: a copy of its database that was put back from before a person
left has their login again, with its old password.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import select

from attune.labeler.label_studio import door, members
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.people import access_lock, end_access
from attune.labeler.records.schema import Expert, Grid, Queue, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import ServiceDown

log = logging.getLogger("attune.sync")


def correct_members(settings: Settings, ls: LabelStudio, rows: Sequence[Queue] | Sequence[Grid]) -> list[int]:
    """Give the projects of these queues, or of pages, the members that the records say; those that had others. End the
    logins of those whom the records do not let in.

    Only rows whose project is known to be theirs may be given (`identity.check`): a member sees what the project holds.
    Queues of before there were members, and those whose project moved, get theirs here. Raises LabelStudioUnreachable.
    """
    if not rows:
        return []
    with reading(settings) as session:
        emails = select(Expert.id, Expert.email).where(Expert.id.in_({row.expert_id for row in rows}))
        here = {key: email for key, email in session.execute(emails).all() if end_access.may_enter(session, email)}
    expected = {row.project: [here[row.expert_id]] if _is_open(row) and row.expert_id in here else [] for row in rows}
    there = members.current_members(ls)
    if there is None:
        return []
    changed = members.restore_members(ls, there, expected)
    if changed:
        log.info("members of projects %s set", changed)
    for email in _out(settings, there.logins):
        _end_login(settings, ls, email)
    return changed


def _out(settings: Settings, logins: Sequence[str]) -> list[str]:
    """Those of ``logins`` whom the records know and do not let in; a login that somebody made by hand sees no queue."""
    with reading(settings) as session:
        known = {*session.scalars(select(Expert.email)), *session.scalars(select(User.email))}
        return [email for email in logins if email in known and not end_access.may_enter(session, email)]


def _end_login(settings: Settings, ls: LabelStudio, email: str) -> None:
    """End it as the job `leave` does, unless somebody else is at it now: the next sync looks again."""
    with suppress(ServiceDown), access_lock.hold_access_lock(settings, email, patience_seconds=1):
        with reading(settings) as session:
            if end_access.may_enter(session, email):
                return
        done = door.end_access(ls, email)
        with writing(settings) as session:
            end_access.record_progress(session, email, {"ended": list(done.ended), "still_open": list(done.still_open)})
        log.warning("the login of %s, who is out, was open in Label Studio and was ended", email)


def _is_open(row: Queue | Grid) -> bool:
    return row.closed_at is None
