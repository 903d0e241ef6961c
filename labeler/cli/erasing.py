"""What the commands that erase personal data ask first: whose, one person's or everybody's."""

from __future__ import annotations

import click


def check_whose(rows: str, command: str, option: str, one: str | None, everybody: bool) -> None:
    """Raise click.UsageError unless exactly one of ``--option`` and --everybody is given; ``rows``: what is erased."""
    if everybody == (one is not None):
        raise click.UsageError(
            f"Whose {rows}? Nothing was erased. Of one {option}: `attune {command} erase --{option} NAME`. Of all: "
            f"`attune {command} erase --everybody`"
        )
