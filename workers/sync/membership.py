"""Each queue's project in Label Studio has one member, its expert; a closed one, and that of who is shut out, none.

Whoever may not come in has no open login there either.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from sqlalchemy import select

from attune.labeler.label_studio import door, members
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.people import access_lock, end_access
from attune.labeler.records.schema import Expert, Grid, Queue, User
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings

log = logging.getLogger("attune.sync")


def agree(settings: Settings, ls: LabelStudio, rows: Sequence[Queue] | Sequence[Grid]) -> list[int]:
    """Give the projects of these queues, or of pages, the members that the records say; those that had others.

    Only rows whose project is known to be theirs may be given (`identity.check`): a member sees what the project holds.
    Queues of before there were members, and those whose project moved, get theirs here. Raises LabelStudioUnreachable.
    """
    if not rows:
        return []
    with reading(settings) as session:
        found = select(Expert.id, Expert.email).where(Expert.id.in_({row.expert_id for row in rows}))
        here = {key: email for key, email in session.execute(found).all() if end_access.is_in(session, email)}
    wanted = {row.project: [here[row.expert_id]] if _is_open(row) and row.expert_id in here else [] for row in rows}
    changed = members.agree(ls, wanted)
    if changed:
        log.info("members of projects %s set", changed)
    return changed


def end_leavers(settings: Settings, ls: LabelStudio, addresses: Collection[str]) -> list[str]:
    """End what is open again in Label Studio to people who may not come in, such as after its database of before was
    put back; whose. ``addresses`` are those of its users. Raises LabelStudioUnreachable, ServiceDown.
    """
    if not door.is_guarded(ls):
        return []  # there a login cannot be ended from here, and what can be was ended when the person left
    ours = str(ls.me().get("email", "")).casefold()
    there = {address.casefold() for address in addresses} - {ours}
    with reading(settings) as session:
        known = {*session.scalars(select(Expert.email)), *session.scalars(select(User.email))} & there
        out = sorted(email for email in known if not end_access.is_in(session, email))
    ended = []
    for email in out:
        with access_lock.turn(settings, email):
            with reading(settings) as session:  # inside: whoever is let in again meanwhile stays
                came_back = end_access.is_in(session, email)
            if not came_back and door.end_access(ls, email).ended:
                ended.append(email)
    if ended:
        log.warning("Label Studio was open again to %s: ended", ", ".join(ended))
    return ended


def _is_open(row: Queue | Grid) -> bool:
    return row.closed_at is None
