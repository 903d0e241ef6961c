"""A person's access ends by one way: what is told of it is what really ended, here and in Label Studio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.label_studio.door import Ended
from attune.labeler.people import end_access, end_label_studio_access, experts, invite, users
from attune.labeler.people.end_access import Outcome
from attune.labeler.people.login_sessions import Origin
from attune.labeler.records.schema import Expert, Job, Queue
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AlreadyThere, DataError, LabelStudioUnreachable
from attune.workers.runtime import lost_jobs, schedule
from attune.workers.sync import membership
from tests.support import databases, factories
from tests.support.fake_door import ADMINISTRATOR, FakeDoor

ANA, OLGA = "ana@example.org", "olga@example.org"


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Ana the expert and Olga the owner, each logged in twice; an administrator; no Redis."""
    url = databases.database(request) if hasattr(request, "param") else None
    made = factories.workspace(tmp_path, redis_url="unix:///nowhere.sock", database_url=url)
    ana = factories.add_expert(made, ANA)
    factories.add_queue(made, factories.add_attribute(made), ana)
    for email, role, expert in ((ANA, "expert", ana), (OLGA, "owner", None), ("root@example.org", "admin", None)):
        factories.add_user(made, email, role, expert)
        for _ in range(2):
            assert users.log_in(made, email, factories.PASSWORD, Origin())
    yield made
    engine(made.records_url).dispose()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> FakeDoor:
    """A Label Studio that ends everything, unless told otherwise."""
    return FakeDoor().install(monkeypatch)


def remembered(settings: Settings, email: str) -> Outcome:
    """What the records say of the person's access."""
    with reading(settings) as session:
        job = end_access.newest(session, email)
    assert job
    return end_access.outcome(job)


def leave(settings: Settings, email: str) -> object:
    """Remove the expert."""
    return experts.remove(settings, email, wait=True)


@pytest.mark.parametrize("settings", databases.BOTH, indirect=True)
@pytest.mark.parametrize(
    ("email", "end", "says"),
    [
        (ANA, leave, "Login disabled. 2 sessions and 0 login links ended."),
        (ANA, lambda made, email: users.disable(made, email, wait=True), "Login disabled. 2 sessions and"),
        (ANA, lambda made, email: users.remove(made, email, wait=True), "Login removed. 2 sessions and"),
        (OLGA, lambda made, email: users.disable(made, email, wait=True), "Login disabled. 2 sessions and"),
        (OLGA, lambda made, email: users.remove(made, email, wait=True), "Login removed. 2 sessions and"),
    ],
    ids=["expert leaves", "expert shut", "expert's login removed", "owner shut", "owner removed"],
)
def test_every_way_ends_both_doors_and_remembers_what_ended(
    settings: Settings, door: FakeDoor, email: str, end: Callable[[Settings, str], object], says: str
) -> None:
    end(settings, email)
    assert door.shut == [email]
    found = remembered(settings, email)
    assert says in found.in_console
    assert found.ended == door.ends.ended
    assert not found.open_still
    with reading(settings) as session:
        assert not end_access.may_enter(session, email)


def test_what_stays_open_is_told_and_can_be_tried_again(settings: Settings, door: FakeDoor) -> None:
    stays = "Label Studio runs elsewhere: the login stays. Set another password there."
    door.ends = Ended(("membership of the organisation",), (stays,))
    done = experts.remove(settings, ANA, wait=True)
    assert done["still_open"] == [stays]
    assert done["label_studio"] == f"Ended: membership of the organisation. Not ended yet: {stays}"
    before = remembered(settings, ANA)
    assert before.open_still
    door.ends = Ended(("the login",), ())
    with writing(settings) as session:
        job_id = end_access.record_again(session, ANA)
    end_label_studio_access.run_end_job(settings, job_id, wait=True)
    after = remembered(settings, ANA)
    assert not after.open_still
    assert (after.at, after.in_console) == (before.at, before.in_console), "what ended here ended then"
    with writing(settings) as session, pytest.raises(DataError, match=r"attune user disable olga@example\.org"):
        end_access.record_again(session, OLGA)


def test_nothing_is_said_to_have_ended_before_label_studio_was_told(settings: Settings, door: FakeDoor) -> None:
    door.away = True
    done = users.disable(settings, ANA, wait=True)
    assert done.open_still
    assert done.ended == ()
    assert "may still have access" in done.in_label_studio
    assert "does not answer" in done.in_label_studio
    assert users.log_in(settings, ANA, factories.PASSWORD, Origin()) is None, "the console waits for nobody"


def test_it_is_tried_until_it_is_done_and_never_forgotten(
    settings: Settings, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.away = True
    users.disable(settings, ANA, wait=True)
    with writing(settings) as session:
        job = session.scalars(select(Job)).one()
        job.created_at, job.finished_at = now() - timedelta(days=200), now() - timedelta(days=199)
    sent: list[str] = []
    monkeypatch.setattr(lost_jobs, "label_studio_answers", lambda _: True)
    monkeypatch.setattr(jobs, "send", lambda _, job_id, __: sent.append(job_id))
    schedule.forget(settings)
    assert lost_jobs.retry_failed(settings, jobs.connect(settings)) == 1
    assert sent == [job.id]


def test_a_password_that_was_still_to_be_set_is_forgotten(settings: Settings, door: FakeDoor) -> None:
    invite.renew(settings, ANA)
    users.disable(settings, ANA, wait=True)
    run(settings, "join")
    assert door.opened == {}, "a job that is tried late lets nobody in"
    made = invite.reopen(settings, ANA)
    run(settings, "join")
    assert door.opened == {ANA: made.password}


def test_a_leave_that_comes_late_ends_nothing_of_who_came_back(settings: Settings, door: FakeDoor) -> None:
    door.away = True
    users.disable(settings, ANA, wait=True)
    door.away = False
    made = invite.reopen(settings, ANA)
    run(settings, "join")
    assert run(settings, "leave")["kept"] == end_label_studio_access.BACK
    assert door.opened == {ANA: made.password}


def test_shut_while_the_login_was_being_opened_it_ends_all_the_same(
    settings: Settings, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite.renew(settings, ANA)

    def opened_late(_: object, email: str, password: str) -> int:
        users.disable(settings, email)
        door.opened[email] = password
        return 1

    monkeypatch.setattr("attune.labeler.label_studio.door.open_login", opened_late)
    run(settings, "join")
    run(settings, "leave")
    assert door.opened == {}


def meanwhile(door: FakeDoor, name: str, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> Thread:
    """Have another worker do ``act`` while the door's ``name`` is asked for the first time.

    It is given a moment: one who may go ahead is then done, one who must wait still waits.
    """
    real, other = getattr(door, name), Thread(target=act, daemon=True)

    def slow(*given: Any) -> Any:
        if other.ident is None:
            other.start()
            other.join(2)
        return real(*given)

    monkeypatch.setattr(f"attune.labeler.label_studio.door.{name}", slow)
    return other


@pytest.mark.parametrize("settings", databases.BOTH, indirect=True)
def test_a_join_that_is_slow_brings_no_older_password_back(
    settings: Settings, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str | None] = []

    def shut_and_let_in_again() -> None:
        users.disable(settings, ANA)
        run(settings, "leave")
        shown.append(invite.reopen(settings, ANA).password)
        run(settings, "join")

    invite.renew(settings, ANA)
    other = meanwhile(door, "open_login", monkeypatch, shut_and_let_in_again)
    run(settings, "join")
    other.join()
    assert [door.opened[ANA]] == shown


def test_a_join_that_a_newer_one_replaced_sets_no_password(settings: Settings, door: FakeDoor) -> None:
    invite.renew(settings, ANA)
    with reading(settings) as session:
        older = dict(session.scalars(select(Job).where(Job.kind == "join")).one().arguments)
    newer = invite.renew(settings, ANA)
    run(settings, "join")
    assert jobs.run_here(settings, "join", **older)["password"] == invite.REPLACED
    assert door.opened == {ANA: newer.password}


@pytest.mark.parametrize("settings", databases.BOTH, indirect=True)
def test_who_is_let_in_while_leave_goes_on_is_in_afterwards(
    settings: Settings, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str | None] = []

    def let_in_again() -> None:
        shown.append(invite.reopen(settings, ANA).password)
        run(settings, "join")

    users.disable(settings, ANA)
    other = meanwhile(door, "end_access", monkeypatch, let_in_again)
    run(settings, "leave")
    other.join()
    assert [door.opened.get(ANA)] == shown


def test_who_manages_and_stops_answering_keeps_the_console(settings: Settings, door: FakeDoor) -> None:
    invite.invite(settings, OLGA)
    done = experts.remove(settings, OLGA, wait=True)
    assert door.shut == [OLGA]
    assert "stays" in done["console"]
    assert users.verify(settings, OLGA, factories.PASSWORD)
    users.disable(settings, OLGA, wait=True)
    with pytest.raises(DataError, match="attune user enable"):
        invite.invite(settings, OLGA)
    with reading(settings) as session:
        assert session.scalar(select(Expert.removed_at).where(Expert.email == OLGA))


def test_nothing_is_said_to_be_shut_that_was_not_written_down(settings: Settings, door: FakeDoor) -> None:
    """An owner who stopped answering before that was kept: the job that migration 0007 made names no login."""
    with writing(settings) as session:
        session.add(Job(id="leave-1", kind="leave", arguments={"expert": OLGA}, state="queued", created_at=now()))
    assert "No record" in remembered(settings, OLGA).in_console
    assert "shut" not in remembered(settings, OLGA).in_console
    assert users.verify(settings, OLGA, factories.PASSWORD)


def test_what_ended_is_told_though_the_rest_had_to_be_tried_again(
    settings: Settings, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, ended = end_label_studio_access._retire_tasks, door.ends.ended

    def fails(*_: object) -> int:
        raise LabelStudioUnreachable("Label Studio does not answer.")

    monkeypatch.setattr(end_label_studio_access, "_retire_tasks", fails)
    experts.remove(settings, ANA, wait=True)
    monkeypatch.setattr(end_label_studio_access, "_retire_tasks", real)
    door.ends = Ended((), ())
    with reading(settings) as session:
        job_id = session.scalars(select(Job.id).where(Job.kind == "leave")).one()
    end_label_studio_access.run_end_job(settings, job_id, wait=True)
    found = remembered(settings, ANA)
    assert found.told_at
    assert found.ended == ended


def test_a_sync_gives_no_membership_back_to_who_is_shut_out(settings: Settings, door: FakeDoor) -> None:
    with reading(settings) as session:
        rows = session.scalars(select(Queue)).all()
    project = str(rows[0].project)
    membership.correct_members(settings, door, rows)  # type: ignore[arg-type]
    assert door.members == {project: [ANA]}
    users.disable(settings, ANA, wait=True)
    door.members = {}
    membership.correct_members(settings, door, rows)  # type: ignore[arg-type]
    invite.invite(settings, ANA, ["romance"])
    run(settings, "join")
    assert door.members.get(project, []) == []


def test_a_sync_ends_the_login_of_who_is_out_where_a_copy_of_label_studio_was_put_back(
    settings: Settings, door: FakeDoor
) -> None:
    """Its database of before somebody left has the login again, with the old password, for good."""
    with reading(settings) as session:
        rows = session.scalars(select(Queue)).all()
    experts.remove(settings, ANA, wait=True)
    users.disable(settings, OLGA, wait=True)
    door.shut = []
    door.opened = dict.fromkeys([ANA, OLGA, "root@example.org", "by-hand@example.org"], "the old password")
    membership.correct_members(settings, door, rows)  # type: ignore[arg-type]
    assert sorted(door.shut) == [ANA, OLGA]
    assert sorted(door.opened) == ["by-hand@example.org", "root@example.org"]
    membership.correct_members(settings, door, rows)  # type: ignore[arg-type]
    assert sorted(door.shut) == [ANA, OLGA], "once"
    invite.invite(settings, ANA, ["romance"])
    run(settings, "join")
    membership.correct_members(settings, door, rows)  # type: ignore[arg-type]
    assert ANA in door.opened, "who came back stays in"


def test_a_removed_login_leaves_no_queue_behind(settings: Settings, door: FakeDoor) -> None:
    users.remove(settings, ANA, wait=True)
    with reading(settings) as session:
        assert session.scalars(select(Queue.closed_at)).one() is not None


def test_the_administrators_own_login_is_kept_and_that_is_told(settings: Settings, door: FakeDoor) -> None:
    factories.add_user(settings, ADMINISTRATOR, "owner")
    done = users.disable(settings, ADMINISTRATOR, wait=True)
    assert door.shut == []
    assert end_label_studio_access.OURS in done.in_label_studio


def test_a_shut_person_gets_no_password_until_opened_again(settings: Settings, door: FakeDoor) -> None:
    users.disable(settings, ANA, wait=True)
    with pytest.raises(DataError, match="is disabled"):
        invite.renew(settings, ANA)
    invite.reopen(settings, ANA)
    with pytest.raises(AlreadyThere, match="is not disabled"):
        invite.reopen(settings, ANA)


def test_an_unreachable_label_studio_fails_the_job_so_that_it_is_tried_again(
    settings: Settings, door: FakeDoor
) -> None:
    users.disable(settings, ANA)
    door.away = True
    with pytest.raises(LabelStudioUnreachable):
        run(settings, "leave")


def run(settings: Settings, kind: str) -> dict[str, Any]:
    """Do the newest job of a kind here."""
    with reading(settings) as session:
        job = session.scalars(select(Job).where(Job.kind == kind).order_by(Job.created_at.desc())).first()
    assert job
    return jobs.run_here(settings, kind, **job.arguments)
