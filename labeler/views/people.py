"""People: the experts and what each answers, the logins of the console, and one person from near."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from attune.labeler.answers import exclude_expert, totals
from attune.labeler.answers.exclude_expert import AffectedAnswers, Move
from attune.labeler.jobs import failures
from attune.labeler.people import end_access
from attune.labeler.people import users as logins
from attune.labeler.people.end_access import Outcome
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Attribute, Expert, Job, Queue, User
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import UnknownExpert

PAGE = 50
AS_SHOWN = "as shown"  # what a job `join` says of a password that it has set
JOINS = 200  # the newest jobs that a person's are looked for among


@dataclass(frozen=True)
class Member:
    """One expert: ``attributes`` with an open queue, answers in all, the time of the last one.

    ``shut``: the login of someone who has not left. ``open_still``: out, but Label Studio may still be open.
    """

    name: str
    email: str
    role: str | None
    attributes: Sequence[str]
    answers: int
    last_at: datetime | None
    removed_at: datetime | None
    id: int
    shut: bool = False
    open_still: bool = False


@dataclass(frozen=True)
class Login:
    """One login of the console; ``may`` says whether the viewer may change it."""

    email: str
    role: str
    shut: bool
    created_at: datetime
    may: bool


@dataclass(frozen=True)
class Person:
    """One person from near: as an expert, as a login, or both; ``joining`` is the newest job for Label Studio.

    ``out``: what ended of the access of someone who may not come in now. ``moves``: who excluded or included answers.
    """

    email: str
    member: Member | None
    login: Login | None
    joining: Job | None = None
    every_attribute: bool = False
    lacking: Sequence[str] = ()
    concerned: AffectedAnswers = field(default_factory=lambda: AffectedAnswers({}, {}))
    out: Outcome | None = None
    moves: Sequence[Move] = ()

    @property
    def password_kept(self) -> str:
        """Why the password that was last shown does not open Label Studio, as far as it was told."""
        said = self.joining.result.get("password", "") if self.joining and self.joining.state == "done" else ""
        return "" if said == AS_SHOWN else str(said)

    @property
    def trouble(self) -> str:
        """Why the newest job for Label Studio failed, in words for the page."""
        return failures.shown(self.joining.id, self.joining.error) if self.joining else ""


OWNERS_LIMIT = "An owner can only add and change experts. Ask an admin to change owners and admins."


def may_manage(viewer: Viewer, role: str | None) -> bool:
    """Whether ``viewer`` may change a login of ``role`` (None: an expert without one): owners only experts' logins."""
    return viewer.role == "admin" or (viewer.role == "owner" and role in {None, "expert"})


def people(settings: Settings, page: int = 1) -> Page[Member]:
    """The experts, those who left last."""
    with reading(settings) as session:
        query = select(Expert).order_by(Expert.removed_at.is_not(None), Expert.name, Expert.id)
        user_page = page_of(session, query, page, PAGE)
        members = {one.email: one for one in _members(session, user_page.items)}
        return user_page.map(lambda one: members[one.email])


def managers(settings: Settings, viewer: Viewer) -> list[Login]:
    """The logins of owners and admins, by address."""
    return [_login(viewer, one) for one in logins.every(settings, ("admin", "owner"))]


def person(settings: Settings, viewer: Viewer, email: str) -> Person:
    """One person by address. Raises UnknownExpert where no one has it."""
    email = logins.address(email)
    with reading(settings) as session:
        expert = session.scalar(select(Expert).where(Expert.email == email))
        user = session.scalar(select(User).where(User.email == email, User.password_hash != logins.GONE))
        out = _out(session, email)
        if expert is None and user is None and out is None:
            raise UnknownExpert(f"No person has the email address {email}. The page People lists everyone.")
        login = _login(viewer, user) if user else None
        if expert is None:
            return Person(email, None, login, out=out)
        (member,) = _members(session, [expert])
        names = session.scalars(select(Attribute.name).where(Attribute.retired_at.is_(None)).order_by(Attribute.name))
        lacking = [name for name in names if name not in member.attributes]
        job = _joining(session, email)
        moves = exclude_expert.last_moves(session, expert.id)
    affected = exclude_expert.affected_answers(settings, email)
    return Person(email, member, login, job, expert.every_attribute, lacking, affected, out, moves)


def _out(session: Session, email: str) -> Outcome | None:
    job = None if end_access.may_enter(session, email) else end_access.newest(session, email)
    return end_access.outcome(job) if job else None


def _joining(session: Session, email: str) -> Job | None:
    newest = session.scalars(select(Job).where(Job.kind == "join").order_by(Job.created_at.desc()).limit(JOINS))
    return next((job for job in newest if job.arguments.get("expert") == email), None)


def _login(viewer: Viewer, user: User) -> Login:
    return Login(user.email, user.role, user.disabled_at is not None, user.created_at, may_manage(viewer, user.role))


def _members(session: Session, experts: Sequence[Expert]) -> list[Member]:
    ids = [one.id for one in experts]
    queues, answer_counts = _attributes(session, ids), totals.by_expert(session, ids)
    login_query = select(User.email, User.role).where(
        or_(User.expert_id.in_(ids), User.email.in_([one.email for one in experts])), User.disabled_at.is_(None)
    )
    roles = dict(session.execute(login_query).all())
    closed = select(User.email).where(User.email.in_([one.email for one in experts]), User.disabled_at.is_not(None))
    shut = set(session.scalars(closed.where(User.password_hash != logins.GONE)))
    ended = end_access.newest_of(session, [one.email for one in experts if one.removed_at or one.email in shut])

    def member(expert: Expert) -> Member:
        count, last = answer_counts.get(expert.id, (0, None))
        still = expert.email in ended and end_access.outcome(ended[expert.email]).open_still
        role, names = roles.get(expert.email), queues[expert.id]
        is_shut = expert.email in shut and expert.removed_at is None
        return Member(expert.name, expert.email, role, names, count, last, expert.removed_at, expert.id, is_shut, still)

    return [member(one) for one in experts]


def _attributes(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    rows = session.execute(
        select(Queue.expert_id, Attribute.name)
        .join(Attribute, Attribute.id == Queue.attribute_id)
        .where(Queue.expert_id.in_(ids), Queue.closed_at.is_(None), Attribute.retired_at.is_(None))
        .order_by(Attribute.name)
    )
    names: dict[int, list[str]] = defaultdict(list)
    for expert, name in rows:
        names[expert].append(name)
    return names
