"""The group `attune labels`, which two rooms add their commands to."""

from __future__ import annotations

import click

from attune.labeler.cli.shell import Group


@click.group(cls=Group)
def command() -> None:
    """Labels: export an attribute's answers, import a labelled set, see which answers are left out."""
