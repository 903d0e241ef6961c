"""The job `notify`: judge candidates by the gates, and send every notice that is due, again later where that fails."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from attune.labeler.jobs.jobs import Report
from attune.labeler.notices import delivery, gate_rules, notices
from attune.labeler.records.schema import Notice
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import iso, now, parse
from attune.models.errors import AttuneError

log = logging.getLogger("attune.notify")
AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=12))
CLAIM = timedelta(minutes=10)  # longer than one notice can take; a worker killed in the meantime lets it go out again
MOST = 100  # notices a job sends, so that a long list holds no worker for ever


def run(settings: Settings, report: Report, gates: Sequence[str] = ()) -> dict[str, Any]:
    """Judge the newest runs of ``gates``, then send what is due; after a kill a notice may go out twice, never not."""
    sent_count = 0
    for name in gates:
        try:
            sent_count += gate_rules.judge(settings, name)
        except AttuneError as error:
            log.warning("gates of %s not judged: %s", name, error)
    sent = failed = 0
    with reading(settings) as session:
        due = list(session.scalars(select(Notice.id).where(Notice.due_at <= now()).order_by(Notice.id).limit(MOST)))
    for done, key in enumerate(due, 1):
        good, bad = send(settings, key)
        sent, failed = sent + good, failed + bad
        report(done, len(due))
    return {"passed": sent_count, "sent": sent, "failed": failed}


def send(settings: Settings, key: int) -> tuple[int, int]:
    """Send one notice by each of its ways that is due; how many went out, and how many did not."""
    notice = _claim(settings, key)
    if notice is None:
        return 0, 0
    good = bad = 0
    outcomes = dict(notice.sent)
    for channel, outcome in outcomes.items():
        if outcome["state"] != "waiting" or ("at" in outcome and parse(outcome["at"]) > now()):
            continue
        try:
            remark = _deliver(settings, notice, channel)
            outcomes[channel] = {"state": "sent", "tries": outcome["tries"] + 1, "at": iso(now()), "error": remark}
            good += 1
        except AttuneError as error:
            outcomes[channel] = _retry_later(outcome, str(error))
            log.warning("notice %d not sent by %s: %s", key, channel, error)
            bad += 1
    waiting = [parse(outcome["at"]) for outcome in outcomes.values() if outcome["state"] == "waiting"]
    with writing(settings) as session:
        row = session.get_one(Notice, key)
        row.sent, row.due_at = outcomes, min(waiting, default=None)
    return good, bad


def _claim(settings: Settings, key: int) -> Notice | None:
    """The notice, put off for a while so that no second worker sends it at the same time."""
    with writing(settings) as session:
        row = session.get(Notice, key, with_for_update=True)
        if row is None or row.due_at is None or row.due_at > now():
            return None
        row.due_at = now() + CLAIM
        return row


def _deliver(settings: Settings, notice: Notice, channel: str) -> str:
    if channel == notices.WEBHOOK and settings.notify_webhook_url:
        delivery.post(settings, notice, delivery.attribute_of(settings, notice))
        return ""
    if channel == notices.MAIL and settings.smtp_url:
        return delivery.mail(settings, notice)
    return "no longer set"


def _retry_later(outcome: dict[str, Any], error: str) -> dict[str, Any]:
    tries = outcome["tries"] + 1
    if tries > len(AGAIN):
        return {"state": notices.FAILED_STATE, "tries": tries, "at": iso(now()), "error": error}
    return {"state": "waiting", "tries": tries, "at": iso(now() + AGAIN[tries - 1]), "error": error}
