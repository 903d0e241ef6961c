"""`attune up`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import click

from labeler.cli.shell import Shell
from labeler.cli.shell import command as attune_command
from labeler.supervise import free_ports, run


@attune_command(click.Group("attune"), "up", workspace="optional", example="attune up --workspace ./workspace")
@click.option("--free-ports", "free", is_flag=True, help="Take another port for each of the set ones that is busy.")
def command(shell: Shell, free: bool) -> None:
    """Start and watch Redis, Label Studio, the web app, the workers and the schedule; Ctrl-C stops them all."""
    settings = free_ports(shell.settings, keep=True) if free else shell.settings

    def ready() -> None:
        if shell.json:
            shell.result(
                {
                    "web": settings.web_address,
                    "label_studio": settings.label_studio_browser_address,
                    "workspace": str(settings.workspace),
                }
            )

    run(settings, shell.hint if shell.json else click.echo, ready)
