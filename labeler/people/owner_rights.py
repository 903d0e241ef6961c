"""Whether somebody who asked for work still may ask for it: looked at in the transaction that does the work.

A job may wait for minutes behind others. What an owner asked for in the meantime of a removal is not done.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.people.viewer import MANAGERS
from attune.labeler.records.schema import User
from attune.models.errors import AccessError


def check_owner(session: Session, user_id: int | None) -> None:
    """Hold the login ``user_id`` as it is until the caller's transaction ends (PostgreSQL), None for the command line.

    Whoever asks by a token has no login either, so nothing that a token asks for waits as a job (`web.pages`).
    Call it before an attribute is locked: a removal takes both in this order. Raises AccessError where the login is
    disabled or removed, or is no longer an owner's.
    """
    if user_id is None:
        return
    user = session.scalar(select(User).where(User.id == user_id).with_for_update())
    if user is not None and user.password_hash and user.disabled_at is None and user.role in MANAGERS:
        return
    name = user.email if user is not None else "The login that asked for this"
    raise AccessError(
        f"{name} is no longer an owner here, so this was not done. Nothing was changed. If it is still right, another "
        "owner can start it again."
    )
