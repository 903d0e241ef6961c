"""What the commands of `attune probes` share: the group, the options of every move, figures in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from attune.labeler.cli.shell import Group
from attune.models.catalog.manifest import CHAMPION
from attune.models.evaluation.metrics import in_words


@click.group(cls=Group)
def command() -> None:
    """List, compare, promote, roll back and retire probes, and set their gates."""


reason_option = click.option("--reason", required=True, metavar="R", help="Reason in a few words, for the history.")
alias_option = click.option("--alias", default=CHAMPION, show_default=True, help="Alias to move.")


def figure(held: Mapping[str, Any]) -> str:
    """A metric with its interval, in words; of an early one the interval alone."""
    return in_words(held)
