"""The group `attune expert`, which two modules add their commands to."""

from __future__ import annotations

import click

from attune.labeler.cli.shell import Group


@click.group(cls=Group)
def command() -> None:
    """Add, list, remove and erase experts, and include or exclude their answers."""
