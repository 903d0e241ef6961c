"""What an owner asked the workers for is not done once the owner was removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from attune.labeler.exchange import uploads
from attune.labeler.jobs.jobs import quiet
from attune.labeler.people import users
from attune.labeler.records.schema import Alias, Annotation, Asset, Expert, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AccessError
from attune.workers.jobs import import_job, publish
from tests.labeler.catalog import worlds

OWNER, PASSWORD = "own@example.org", "long-enough-words"


def _demote(settings: Settings) -> None:
    with writing(settings) as session:
        session.add(Expert(email=OWNER, name="Own", added_at=now()))
        session.flush()
        expert = session.scalar(select(Expert.id).where(Expert.email == OWNER))
        session.execute(update(User).where(User.email == OWNER).values(role="expert", expert_id=expert))


ENDS: dict[str, Callable[[Settings], Any]] = {
    "removed": lambda settings: users.remove(settings, OWNER),
    "disabled": lambda settings: users.disable(settings, OWNER),
    "an expert now": _demote,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A workspace with runs, answers and an owner who may be removed."""
    made = worlds.filled(tmp_path / "workspace")
    worlds.add_assets(made, 2)
    users.create(made, "admin@example.org", "admin", PASSWORD)
    return made


def _publish(settings: Settings, user: int) -> dict[str, Any]:
    move: dict[str, Any] = {"attribute": "serious", "version": 2, "reason": "r", "who": OWNER, "asked_by": user}
    return publish.run(settings, quiet, **move)


def _import(settings: Settings, user: int) -> dict[str, Any]:
    with reading(settings) as session:
        asset = session.scalar(select(Asset.asset_id).order_by(Asset.id))
    ticket = uploads.keep(settings, user, f"asset_id,value,expert\n{asset},serious,new@example.org\n".encode())
    return import_job.run(settings, quiet, "serious", ticket, user, [None] * 5, True, OWNER)


def _state(settings: Settings) -> tuple[int, int]:
    with reading(settings) as session:
        count = session.scalar(select(func.count()).select_from(Annotation)) or 0
        return count, session.scalar(select(func.count()).select_from(Alias)) or 0


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("job", [_publish, _import])
def test_work_of_somebody_who_is_no_longer_an_owner_is_not_done(
    settings: Settings, job: Callable[[Settings, int], dict[str, Any]], end: str
) -> None:
    user = users.create(settings, OWNER, "owner", PASSWORD)
    before = _state(settings)
    ENDS[end](settings)
    with pytest.raises(AccessError, match=r"own@example\.org is no longer an owner here"):
        job(settings, user.id)
    assert _state(settings) == before


@pytest.mark.parametrize("job", [_publish, _import])
def test_the_same_work_of_an_owner_is_done(settings: Settings, job: Callable[[Settings, int], dict[str, Any]]) -> None:
    user = users.create(settings, OWNER, "owner", PASSWORD)
    before = _state(settings)
    job(settings, user.id)
    assert _state(settings) != before
