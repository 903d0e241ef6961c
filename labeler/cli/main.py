"""The `attune` command: finds its groups lazily and turns errors into one sentence and an exit code."""

from __future__ import annotations

import importlib
import sys
from difflib import get_close_matches

import click

from models.errors import AttuneError, consequence

# Command -> module that holds it as `command`; imported when it is asked for, so that `attune --help` stays quick.
COMMANDS = {
    "up": "labeler.cli.up",
    "demo": "labeler.cli.demo",
    "doctor": "labeler.cli.doctor",
    "config": "labeler.cli.config",
    "assets": "labeler.cli.assets",
    "attribute": "labeler.cli.attribute",
    "expert": "labeler.cli.expert",
    "user": "labeler.cli.user",
    "token": "labeler.cli.token",
    "batch": "labeler.cli.loop:batch",
    "learn": "labeler.cli.loop:learn",
    "sync": "labeler.cli.loop:sync",
    "probes": "labeler.cli.probes",
    "pull": "labeler.cli.pull:pull",
    "score": "labeler.cli.pull:score",
}


class Attune(click.Group):
    """A group whose commands are imported by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of a first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or an error that proposes near names."""
        if cmd_name not in COMMANDS:
            near = get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f" Did you mean `attune {near[0]}`?" if near else ""
            raise click.UsageError(f"There is no command {cmd_name!r}.{hint} `attune --help` lists all.")
        module, _, name = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(module), name or "command")
        return found


@click.group(cls=Attune, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="attune", prog_name="attune")
def attune() -> None:
    """Attune turns an expert's eye into a classifier."""


def main() -> None:
    """Entry point of the `attune` command."""
    try:
        attune(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except AttuneError as error:
        click.echo(f"attune: {error}", err=True)
        sys.exit(consequence(type(error)).exit_code)


if __name__ == "__main__":
    main()
