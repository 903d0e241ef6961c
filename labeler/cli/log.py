"""`attune log`: who saw and exported what."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from datetime import datetime

import click

from attune.labeler.cli.shell import Group, Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.people.access_log import KINDS


@click.group(cls=Group)
def log() -> None:
    """Show who saw and exported which images and figures."""


@attune_command(log, "access", example="attune log access --image poster-17 --since 2026-11-01")
@click.option("--who", default="", metavar="TEXT", help="Only people and tokens with TEXT in their name.")
@click.option("--image", default="", metavar="ASSET_ID", help="Only requests whose reply showed this image.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Only this day and later (UTC).")
@click.option("--kind", type=click.Choice(KINDS), help="Only requests of this kind.")
@click.option("--last", default=100, show_default=True, type=click.IntRange(1), help="Number of requests to list.")
def access(shell: Shell, who: str, image: str, since: datetime | None, kind: str | None, last: int) -> None:
    """List who saw and exported what in the console and by the API, oldest first.

    Commands on this machine and Label Studio's own pages are not in it. ATTUNE_ACCESS_LOG_DAYS says how long it is
    kept.
    """
    from attune.labeler.people import access_log

    day = since.date() if since else None
    found = 0
    kept: deque[access_log.Entry] = deque(maxlen=last)
    for entry in access_log.read(shell.settings, day, who, image, kind or ""):
        found += 1
        kept.append(entry)
    rows = [
        (one.at[:19].replace("T", " "), one.who, one.role, one.kind, str(len(one.images) or ""), one.path)
        for one in kept
    ]
    shell.result([asdict(one) for one in kept], table(("at (UTC)", "who", "role", "what", "images", "address"), rows))
    if not found:
        shell.hint("No request fits. The log begins with the first picture that somebody sees in the console.")
    elif found > last:
        shell.hint(f"These are the last {last} of {found:,}. To list more: `--last {found}`")
