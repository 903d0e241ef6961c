"""`attune config`: every setting, its value and where it came from; and the encoder that the pool is of."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any

import click

from attune.labeler.cli.encoder import NO_WAIT, PRETRAINED, RESIZE_MODE, use
from attune.labeler.cli.shell import Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.settings import Settings, kept_settings, variable


@click.group(cls=Group)
def command() -> None:
    """Show the settings, and change the encoder.

    An argument overrides the environment, which overrides the workspace, which overrides the default."""


def _origin(shell: Shell, name: str) -> str:
    if os.environ.get(variable(name)):
        return "environment"
    return "workspace" if name in kept_settings(shell.settings.workspace) else "default"


@attune_command(command, "show", workspace="optional", example="attune config show")
def show(shell: Shell) -> None:
    """Show every setting with its value, variable and purpose. Secrets are masked."""
    values = shell.settings.shown()
    rows = [
        (
            variable(item.name),
            values[item.name],
            _origin(shell, item.name),
            item.metadata["about"],
        )
        for item in fields(Settings)
    ]
    value = {name: {"value": text, "from": origin} for name, text, origin, _ in rows}
    shell.result(value, "\n".join(_entry(*row) for row in rows))


@attune_command(command, "encoder", example="attune config encoder ViT-L-14 --pretrained laion2b_s32b_b82k")
@click.argument("name", metavar="MODEL", required=False)
@PRETRAINED
@RESIZE_MODE
@NO_WAIT
def encoder(shell: Shell, **options: Any) -> None:
    """The same as `attune encoder use MODEL`. Without MODEL, show the pool's encoder."""
    use(shell, **options)


def _entry(name: str, value: str, origin: str, about: str) -> str:
    held = f"{name}={value}" if value else f"{name} is not set"
    return f"{held}  ({origin})\n    {about}" if origin != "default" else f"{held}\n    {about}"
