"""Two who end people's access at the same moment: both are done, or one is refused; neither is thrown out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Connection

from attune.labeler.people import experts, invite, login_links, users
from attune.labeler.records.schema import Job, SignInLink, User
from attune.labeler.records.session import engine, reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnknownExpert
from tests.support import databases, factories

ANA = "ana@example.org"


@pytest.fixture(params=databases.BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Ana the expert with an open question, and two administrators; no Redis."""
    url = databases.database(request)
    made = factories.workspace(tmp_path, redis_url="unix:///nowhere.sock", database_url=url)
    ana = factories.add_expert(made, ANA)
    queue = factories.add_queue(made, factories.add_attribute(made), ana)
    factories.add_task(made, queue, factories.add_assets(made, 1)[0])
    factories.add_user(made, ANA, "expert", ana)
    for name in ("anton", "berta"):
        factories.add_user(made, f"{name}@example.org", "admin", None)
    yield made
    engine(made.records_url).dispose()


def at_once(settings: Settings, *acts: Callable[[], object]) -> list[BaseException | None]:
    """What each raised; after the first statement that locks or writes, each waits a moment for the others' one."""
    gate, met = Barrier(len(acts)), set[int]()
    raised: list[BaseException | None] = [None for _ in acts]

    def after(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if id(connection) in met or not (" FOR " in statement or statement.startswith("UPDATE")):
            return
        met.add(id(connection))
        with suppress(BrokenBarrierError):  # the others wait for what this one holds
            gate.wait(1)

    def do(number: int) -> None:
        try:
            acts[number]()
        except Exception as error:
            raised[number] = error

    made = engine(settings.records_url)
    if made.dialect.name == "postgresql":
        event.listen(made, "after_cursor_execute", after)
    threads = [Thread(target=do, args=(number,)) for number in range(len(acts))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return raised


def test_two_administrators_who_shut_each_other_leave_one(settings: Settings) -> None:
    raised = at_once(
        settings,
        lambda: users.disable(settings, "anton@example.org"),
        lambda: users.disable(settings, "berta@example.org"),
    )
    assert [type(one) for one in raised if one] == [DataError]
    assert sum(one.disabled_at is None for one in users.every(settings, ("admin",))) == 1


def test_an_expert_who_is_removed_twice_at_once_is_out(settings: Settings) -> None:
    raised = at_once(settings, lambda: experts.remove(settings, ANA), lambda: users.remove(settings, ANA))
    assert {type(one) for one in raised if one} <= {UnknownExpert}, "whoever came second finds nobody"
    with reading(settings) as session:
        assert session.query(User).filter(User.email == ANA, User.disabled_at.is_(None)).count() == 0


class NotYours(Exception):
    """As a page refuses an owner."""


def of_experts_alone(role: str | None) -> None:
    if role not in {None, "expert"}:
        raise NotYours


def test_a_link_that_an_owner_makes_never_opens_the_session_of_who_becomes_an_admin_meanwhile(
    settings: Settings,
) -> None:
    raised = at_once(
        settings,
        lambda: users.set_role(settings, ANA, "admin"),
        lambda: login_links.make(settings, ANA, may=of_experts_alone),
    )
    assert raised[0] is None
    assert raised[1] is None or isinstance(raised[1], NotYours)
    with reading(settings) as session:
        assert session.scalars(select(SignInLink).where(SignInLink.used_at.is_(None))).all() == []
        assert session.scalars(select(User.role).where(User.email == ANA)).one() == "admin"


@pytest.mark.parametrize("email", ["new@example.org", ANA])
def test_an_expert_who_is_invited_by_many_at_once_is_invited_once(settings: Settings, email: str) -> None:
    if email == ANA:  # who was removed, and comes back
        users.remove(settings, ANA)
    raised = at_once(settings, *[lambda: invite.invite(settings, email)] * 3)
    assert sorted(type(one).__name__ for one in raised) == ["AlreadyThere", "AlreadyThere", "NoneType"]
    with reading(settings) as session:
        assert session.query(User).filter(User.email == email, User.disabled_at.is_(None)).count() == 1
        assert session.query(Job).filter(Job.kind == "join").count() == 1, "one welcome, whose password holds"
