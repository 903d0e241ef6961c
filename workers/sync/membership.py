"""Each queue's project in Label Studio has one member, its expert; a closed one, and that of who is shut out, none."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import select

from attune.labeler.label_studio import members
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.people import end_access
from attune.labeler.records.schema import Expert, Grid, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings

log = logging.getLogger("attune.sync")


def correct_members(settings: Settings, ls: LabelStudio, rows: Sequence[Queue] | Sequence[Grid]) -> list[int]:
    """Give the projects of these queues, or of pages, the members that the records say; those that had others.

    Only rows whose project is known to be theirs may be given (`identity.check`): a member sees what the project holds.
    Queues of before there were members, and those whose project moved, get theirs here. Raises LabelStudioUnreachable.
    """
    if not rows:
        return []
    with reading(settings) as session:
        emails = select(Expert.id, Expert.email).where(Expert.id.in_({row.expert_id for row in rows}))
        here = {key: email for key, email in session.execute(emails).all() if end_access.may_enter(session, email)}
    expected = {row.project: [here[row.expert_id]] if _is_open(row) and row.expert_id in here else [] for row in rows}
    changed = members.restore_members(ls, expected)
    if changed:
        log.info("members of projects %s set", changed)
    return changed


def _is_open(row: Queue | Grid) -> bool:
    return row.closed_at is None
