"""`attune up`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import shlex

import click
from sqlalchemy import select

from attune.labeler.assets.active_encoder import active_encoder
from attune.labeler.cli.shell import Shell
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.people import users
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.services import free_ports, run
from attune.labeler.settings import Settings


@attune_command(click.Group("attune"), "up", workspace="optional", example="attune up --workspace ./workspace")
@click.option("--free-ports", "free", is_flag=True, help="Use other ports instead of busy ones.")
def command(shell: Shell, free: bool) -> None:
    """Start Redis, Label Studio, the console, the workers and the scheduler. Ctrl-C stops them all."""
    settings = free_ports(shell.settings, keep=True) if free else shell.settings

    def ready() -> None:
        if shell.json:
            shell.result(
                {
                    "web": settings.web_address,
                    "label_studio": settings.label_studio_browser_address,
                    "workspace": str(settings.workspace),
                    "encoder": {"settings": settings.encoder, "missing": encoder_missing(settings)},
                }
            )
        else:
            for line in (*first_steps(settings), *filter(None, [encoder_missing(settings)])):
                click.echo(line)

    run(settings, shell.hint if shell.json else click.echo, ready)


def first_steps(settings: Settings) -> list[str]:
    """What a new workspace lacks, each with the command that gives it; nothing once somebody manages it."""
    if users.every(settings, ("owner", "admin")):
        return []
    where = f"--workspace {shlex.quote(str(settings.workspace))}"
    with reading(settings) as session:
        empty = session.scalar(select(Asset.id).limit(1)) is None
    images = [f"  attune assets add ./posters {where}"] if empty else []
    return [
        "Next, in a second terminal (replace you@example.org by your email address; the command prints a password):",
        f"  attune user add you@example.org --role admin {where}",
        *images,
    ]


def encoder_missing(settings: Settings) -> str:
    """What must be done before `attune assets add`, while the pool is empty and its encoder is not on this machine."""
    from attune.labeler.assets.chosen_encoder import missing

    with reading(settings) as session:
        if active_encoder(session) is not None:
            return ""
    return missing(settings)
