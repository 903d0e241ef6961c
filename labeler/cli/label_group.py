"""The group `attune labels`, which three modules add their commands to."""

from __future__ import annotations

import click

from attune.labeler.cli.shell import Group


@click.group(cls=Group)
def command() -> None:
    """Export and import labels, and list uncounted answers and suspected label errors."""
