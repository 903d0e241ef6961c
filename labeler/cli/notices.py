"""`attune notices`: what happened, and whether it finds its way out."""

from __future__ import annotations

import click

from attune.labeler.cli.shell import Group, Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.labeler.notices import notices
from attune.labeler.notices.notices import News
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Notice
from attune.labeler.records.session import reading, writing
from attune.labeler.views import notices as seen
from attune.models.clock import iso, now
from attune.models.errors import SettingsError

OWNER = Viewer("owner", "command line")


@click.group(cls=Group)
def command() -> None:
    """List notices, and test their delivery by webhook and email."""


@attune_command(command, "list", example="attune notices list")
@click.option("--page", default=1, show_default=True, type=click.IntRange(1), help="Page number.")
def list_(shell: Shell, page: int) -> None:
    """List the notices for owners and admins, newest first."""
    notice_page = seen.notices(shell.settings, OWNER, page)
    rows = [(f"{one.at:%Y-%m-%d %H:%M}", one.kind, one.title, one.undelivered) for one in notice_page.items]
    notice_facts = [
        {key: value for key, value in one.to_dict().items() if key != "unread"} for one in notice_page.items
    ]
    value = {
        "notices": notice_facts,
        "page": notice_page.number,
        "pages": notice_page.pages,
        "total": notice_page.total,
    }
    shell.result(value, table(("when (UTC)", "kind", "what", "not delivered"), rows))
    if notice_page.number < notice_page.pages:
        shell.hint(f"Next page: --page {notice_page.number + 1} of {notice_page.pages}")


@attune_command(command, "test", example="attune notices test")
def test(shell: Shell) -> None:
    """Send a test notice by webhook and email, and show the result."""
    ways = notices.channels(shell.settings, own=False)
    if not ways:
        raise SettingsError(
            "ATTUNE_NOTIFY_WEBHOOK_URL and ATTUNE_SMTP_URL are not set, so notices appear only in the console. "
            "To see what the settings expect: `attune config show`"
        )
    key = f"test:{iso(now())}"
    notices.record_news(
        shell.settings, [News(key, "test", "A test of Attune's notices", "This test notice was delivered.", "/notices")]
    )
    jobs.run_here(shell.settings, "notify")
    with reading(shell.settings) as session:
        sent = session.query(Notice).filter_by(key=key).one().sent
    with writing(shell.settings) as session:
        session.query(Notice).filter_by(key=key).one().due_at = None  # a test is not tried again
    rows = [
        (channel, outcome["state"] if outcome["state"] == "sent" else "not sent", outcome.get("error", ""))
        for channel, outcome in sent.items()
    ]
    shell.result({"channels": sent}, table(("way", "state", "remark"), rows))
    if any(state != "sent" for _, state, _ in rows):
        raise SystemExit(1)
