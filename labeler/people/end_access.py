"""The one way a person's access ends: sessions, links and the login at once, Label Studio by the job `leave`.

What ended here is written into the job in the same transaction, what ended in Label Studio (and what did not) becomes
its result, so that the person's page can tell both later. Whoever comes back does so by new passwords and links alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from attune.labeler.jobs import failures, jobs
from attune.labeler.people import login_sessions
from attune.labeler.records.schema import Expert, Job, SignInLink, User
from attune.models.clock import iso, now, parse
from attune.models.errors import DataError
from attune.models.text import plural

SHUT, REMOVED, KEPT, NONE = "shut", "removed", "kept", "none"
GONE = ""  # no password has this hash


@dataclass(frozen=True)
class Outcome:
    """What became of a person's access since ``at``.

    ``login`` is what became of the console's: shut, removed, kept (an owner who stops answering), none (there was
    none), or empty where that was not written down. ``told_at`` is None as long as Label Studio waits to be told;
    ``trouble`` says why. ``kept`` says why nothing ended there.
    """

    email: str
    at: datetime
    login: str
    sessions: int
    links: int
    told_at: datetime | None
    trouble: str
    ended: tuple[str, ...]
    still_open: tuple[str, ...]
    kept: str

    @property
    def in_console(self) -> str:
        """One sentence: what ended in the console."""
        ended = f"{plural(self.sessions, 'session')} and {plural(self.links, 'login link')} ended."
        texts = {
            SHUT: f"Login disabled. {ended}",
            REMOVED: f"Login removed. {ended}",
            KEPT: "The console login stays, because this person is an owner or admin.",
            NONE: "There was no login.",
        }
        return texts.get(self.login, "No record of what ended: an older version of Attune did this.")

    @property
    def in_label_studio(self) -> str:
        """A sentence or a few: what ended in Label Studio; never that something did before it was told so."""
        if self.told_at is None:
            return f"{self.waiting} {self.trouble}".strip()
        still = " ".join(["Not ended yet:", *self.still_open]) if self.still_open else ""
        return " ".join(part for part in (self.ended_there, still) if part)

    @property
    def waiting(self) -> str:
        """What is known as long as Label Studio was not told."""
        return "Not ended yet, so this person may still have access. Attune retries every minute."

    @property
    def ended_there(self) -> str:
        """What ended in Label Studio once it was told, or why nothing did; empty where only what stays is known."""
        if self.kept:
            return f"Kept: {self.kept}."
        if self.ended:
            return f"Ended: {', '.join(self.ended)}."
        return "" if self.still_open else "This person had no access there."

    @property
    def open_still(self) -> bool:
        """Whether the person may still get in somewhere, as far as anyone knows."""
        return self.told_at is None or bool(self.still_open)


def end_logins(session: Session, user: User) -> tuple[int, int]:
    """End the sessions and login links of a login, in the caller's transaction; how many of each were open."""
    waiting = (SignInLink.user_id == user.id, SignInLink.used_at.is_(None))
    live = select(func.count()).select_from(SignInLink).where(*waiting, SignInLink.expires_at > now())
    links = session.scalar(live) or 0
    session.execute(update(SignInLink).where(*waiting).values(used_at=now()))
    return login_sessions.end_all(session, user.id), links


def end(session: Session, email: str, login: str = SHUT) -> str:
    """End what ``email`` may do here, in the caller's transaction, and record the job for Label Studio; its id.

    ``login``: SHUT until someone opens it, REMOVED for good, or KEPT where the person only stops answering.
    """
    user = session.scalar(select(User).where(User.email == email, User.password_hash != GONE).with_for_update())
    here = {"login": login if user else NONE, "sessions": 0, "links": 0, "at": iso(now())}
    if user is not None and login != KEPT:
        user.disabled_at = user.disabled_at or now()
        if login == REMOVED:
            user.password_hash = GONE
        here["sessions"], here["links"] = end_logins(session, user)
    forget_passwords(session, email)
    return jobs.record(session, "leave", expert=email, here=here)


def record_again(session: Session, email: str) -> str:
    """Record the job once more, as when someone ended by hand what Attune could not.

    Raises DataError for someone who may come in.
    """
    before = newest(session, email)
    if before is None or may_enter(session, email):
        raise DataError(
            f"{email} may still log in, so no access is ended. First disable the login (`attune user disable "
            f"{email}`) or remove the person (`attune user remove {email}`)."
        )
    return jobs.record(session, "leave", expert=email, here=before.arguments.get("here") or {})


def forget_passwords(session: Session, email: str) -> None:
    """Let no job `join` that is late, or in a worker's hands, set a password of before: `may_set` then says no."""
    # In one order, so that two at once wait for each other (PostgreSQL).
    for job in session.scalars(_joins(email).order_by(Job.id).with_for_update()):
        job.arguments = job.arguments | {"login": {"nonce": None}}


def may_set(session: Session, email: str, nonce: str) -> bool:
    """Whether the password of ``nonce`` is still the one that this person was shown last, and the person is in."""
    held = [(job.arguments.get("login") or {}).get("nonce") for job in session.scalars(_joins(email))]
    return nonce in held and may_enter(session, email)


def _joins(email: str) -> Select[Job]:
    return select(Job).where(Job.kind == "join", Job.arguments["expert"].as_string() == email)


def may_enter(session: Session, email: str) -> bool:
    """Whether the records let this person into Label Studio: an expert who has not left, with a login that is open.

    An expert without a login of the console is in; one without an expert's row is by the login alone.
    """
    expert = session.scalar(select(Expert).where(Expert.email == email))
    user = session.scalar(select(User).where(User.email == email))
    if expert is None:
        return user is not None and user.disabled_at is None
    shut = user is not None and user.disabled_at is not None and user.password_hash != GONE
    return expert.removed_at is None and not shut


def record_progress(session: Session, email: str, result: dict[str, Any]) -> dict[str, Any]:
    """Write down what has ended in Label Studio before the rest of the job is done; with what an earlier try ended.

    Tried again the job would find nothing left to end, and say so.
    """
    job = newest(session, email)
    if job is None:
        return result
    before = job.result.get("ended", [])
    both = result | {"ended": list(dict.fromkeys([*before, *result.get("ended", [])]))} if before else result
    job.result = job.result | both
    return both


def newest(session: Session, email: str) -> Job | None:
    """The job that last ended this person's access."""
    return newest_of(session, [email]).get(email)


def newest_of(session: Session, emails: Sequence[str]) -> dict[str, Job]:
    """Address -> the job that last ended that person's access, where there is one."""
    theirs = (Job.kind == "leave", Job.arguments["expert"].as_string().in_(emails))
    return {
        job.arguments["expert"]: job for job in session.scalars(select(Job).where(*theirs).order_by(Job.created_at))
    }


def outcome(job: Job) -> Outcome:
    """What a job `leave` says of a person's access."""
    here, result = job.arguments.get("here") or {}, job.result
    return Outcome(
        email=job.arguments["expert"],
        at=parse(here["at"]) if "at" in here else job.created_at,
        login=here.get("login", ""),
        sessions=here.get("sessions", 0),
        links=here.get("links", 0),
        told_at=job.finished_at if job.state == "done" else None,
        trouble=failures.shown(job.id, job.error) if job.state in {"failed", "lost"} else "",
        ended=tuple(result.get("ended", ())),
        still_open=tuple(result.get("still_open", ())),
        kept=result.get("kept", ""),
    )


def outcome_facts(ended_access: Outcome) -> dict[str, Any]:
    """The outcome as commands print it with --json."""
    return {
        "console": ended_access.in_console,
        "sessions_ended": ended_access.sessions,
        "links_ended": ended_access.links,
        "label_studio": ended_access.in_label_studio,
        "still_open": list(ended_access.still_open),
    }
