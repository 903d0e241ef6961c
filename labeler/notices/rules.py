"""What the schedule looks for at each beat, in the records alone: cheap to ask, and asked again without harm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from attune.labeler.jobs import failures, job_words
from attune.labeler.notices import notices
from attune.labeler.notices.notices import News, page
from attune.labeler.notices.queue_rules import empty, left_out, stalled
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Alias, Attribute, Job, Promotion, Run, Version
from attune.labeler.records.session import reading
from attune.labeler.records.version_scores import VersionScores
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import CHAMPION
from attune.models.clock import now

LATELY = timedelta(days=1)  # older events are history: a workspace that learns of notices today is not flooded
SETTLED_STATES = {"settled", "exhausted"}


def watch(settings: Settings) -> int:
    """Record every notice that is due; how many were new."""
    with reading(settings) as session:
        news = [
            *settled(session),
            *disagreeing(session),
            *moved(session),
            *drifted(session),
            *failed(session),
            *stalled(session, settings.stalled_days),
            *empty(session),
            *left_out(session),
        ]
    return notices.record_news(settings, news)


def settled(session: Session) -> Iterator[News]:
    """Attributes whose newest run says that more answers would hardly change the probe; once a revision."""
    for one, run in newest_runs(session):
        run_advice = RunAdvice.from_dict(run.advice)
        if run_advice.state.lower() in SETTLED_STATES and run.revision == one.revision:
            yield News(
                f"settled:{one.id}:{one.revision}", notices.SETTLED, f"{one.name} has settled",
                run_advice.advice or "More answers would hardly change the probe.", page(one.name), one.id,
            )  # fmt: skip


def disagreeing(session: Session) -> Iterator[News]:
    """Attributes whose experts disagree too much, or one of them with all others; each once a revision."""
    for row, run in newest_runs(session):
        if run.revision != row.revision:
            continue
        advice = RunAdvice.from_dict(run.advice)
        if who := advice.differs:
            how = (advice.beside_probe.sentence if advice.beside_probe else "") or advice.advice
            yield News(
                f"differs:{row.id}:{row.revision}:{who}", notices.DISAGREE,
                f"{row.name}: one expert disagrees with the others", f"The expert is {who}. {how}",
                f"{page(row.name)}/results#h-done", row.id,
            )  # fmt: skip
        elif advice.state.lower() == "hopeless":
            yield News(
                f"disagree:{row.id}:{row.revision}", notices.DISAGREE,
                f"{row.name}: the experts disagree too much", advice.advice, f"{page(row.name)}/contested", row.id,
            )  # fmt: skip


def newest_runs(session: Session) -> list[tuple[Attribute, Run]]:
    """Every attribute that is asked about and its newest run, if it has one."""
    newest = select(Run.attribute_id, func.max(Run.number).label("number")).group_by(Run.attribute_id).subquery()
    rows = session.execute(
        select(Attribute, Run)
        .join(Run, Run.attribute_id == Attribute.id)
        .join(newest, and_(newest.c.attribute_id == Run.attribute_id, newest.c.number == Run.number))
        .where(Attribute.retired_at.is_(None))
    )
    return [(one, run) for one, run in rows]


def moved(session: Session) -> Iterator[News]:
    """Versions that were published, rolled back or retired within the last day."""
    words = {"promote": notices.PUBLISHED, "rollback": notices.ROLLED_BACK, "retire": notices.RETIRED}
    rows = session.execute(
        select(Promotion, Attribute.name)
        .join(Attribute, Attribute.id == Promotion.attribute_id)
        .where(Promotion.at > now() - LATELY)
    )
    for line, name in rows:
        kind = words.get(line.action, line.action)
        target = f" as {line.alias}" if line.alias else ""
        title = {
            notices.PUBLISHED: f"{name} version {line.version} was published{target}",
            notices.ROLLED_BACK: f"{name} was rolled back to version {line.version}{target}",
        }.get(kind, f"{name} version {line.version} was {kind}")
        text = f"By {line.who}: {line.reason}"
        yield News(f"move:{line.id}", kind, title, text, page(name), line.attribute_id)


def drifted(session: Session) -> Iterator[News]:
    """Champions on which a look raised the alarm; once a version."""
    rows = session.execute(
        select(Version, Attribute.name)
        .join(Attribute, Attribute.id == Version.attribute_id)
        .join(Alias, and_(Alias.attribute_id == Version.attribute_id, Alias.version == Version.version))
        .where(Alias.alias == CHAMPION, Attribute.retired_at.is_(None))
    )
    for version, name in rows:
        drift = VersionScores.from_dict(version.scores).drift
        if drift and (alarm := drift.alarm):
            yield News(
                f"drift:{version.id}", notices.DRIFT, f"{name}: drift since version {version.version}",
                f"{alarm.n} new images have other scores than the images at the publication (class "
                f"{', '.join(alarm.classes)}). Audit the current pool.",
                f"{page(name)}/versions#h-drift", version.attribute_id,
            )  # fmt: skip


def failed(session: Session) -> Iterator[News]:
    """Jobs that failed or were lost within the last day; one notice a day for each kind and subject.

    Not a search: its own page tells the person, and a newer upload ends an older one that waits.
    """
    rows = session.execute(
        select(Job.id, Job.kind, Job.subject, Job.error, Job.finished_at)
        .where(Job.state.in_(("failed", "lost")), Job.finished_at > now() - LATELY, Job.kind != "explore")
        .order_by(Job.finished_at)
    )
    for job_id, kind, subject, error, at in rows:
        title = job_words.words(kind).title(1, subject or "")
        yield News(
            f"job:{kind}:{subject or ''}:{at:%Y-%m-%d}", notices.FAILED, f"{title} failed",
            failures.shown(job_id, error)[:1000], "/jobs?state=failed",
        )  # fmt: skip
