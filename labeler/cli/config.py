"""`attune config`: every setting, its value and where it came from."""

from __future__ import annotations

import os
from dataclasses import fields

import click

from labeler.cli.shell import Shell, table
from labeler.cli.shell import command as attune_command
from labeler.settings import Settings, variable


@click.group()
def command() -> None:
    """Look at the settings."""


@attune_command(command, "show")
def show(shell: Shell) -> None:
    """Print every setting with its value (secrets masked), its variable and what it is for."""
    shown = shell.settings.shown()
    rows = [
        (
            variable(item.name),
            shown[item.name],
            "set" if os.environ.get(variable(item.name)) else "default",
            item.metadata["about"],
        )
        for item in fields(Settings)
    ]
    value = {name: {"value": text, "from": origin} for name, text, origin, _ in rows}
    shell.result(value, table(("variable", "value", "from", "what for"), rows))
