"""The `attune` command: finds its groups lazily and turns errors into one sentence and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

import click

from attune.labeler.cli.commands import COMMANDS
from attune.labeler.cli.shell import Group, Place
from attune.labeler.services.exits import Ending, ending
from attune.models.files import permissions

# What people type who have not read the list.
NEIGHBOURS = {
    "start": "up",
    "run": "up",
    "serve": "up",
    "add": "assets",
    "images": "assets",
    "import": "assets",
    "question": "attribute",
    "create": "attribute",
    "people": "user",
    "login": "user",
    "train": "learn",
    "measure": "audit",
    "promote": "probes",
    "publish": "probes",
    "rollback": "probes",
    "history": "probes",
    "export": "labels",
    "download": "pull",
    "status": "doctor",
    "check": "doctor",
    "settings": "config",
    "model": "encoder",
    "encode": "embed",
}
ABOUT = """\b
First steps:
  attune demo                    try Attune with sample images
  attune up                      start everything here; leave it running
  attune assets add ./posters    add your images, in a second terminal

\b
Every command explains itself with --help and prints JSON with --json.
Completion in bash (zsh and fish: replace "bash" by their name):
  eval "$(_ATTUNE_COMPLETE=bash_source attune)"
"""


class Attune(Group):
    """A group whose commands are imported by name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; what every command takes, and was written before the command, is told its place."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name not in ("--workspace", "--json"):
                raise
            after = "--workspace DIRECTORY" if error.option_name == "--workspace" else "--json"
            raise click.UsageError(
                f"{error.option_name} must come after the command. For example: `attune attribute list {after}`"
            ) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of a first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or an error that proposes near names."""
        if cmd_name not in COMMANDS:
            near = NEIGHBOURS.get(cmd_name) or next(iter(get_close_matches(cmd_name, COMMANDS, n=1)), None)
            hint = f" Did you mean `attune {near}`?" if near else ""
            raise click.UsageError(f"{cmd_name!r} is not a command.{hint} To list all commands: `attune --help`")
        return COMMANDS[cmd_name].load()

    def listed(self, ctx: click.Context) -> list[tuple[str, str]]:
        """The list of commands without importing one."""
        return [(name, one.about) for name, one in COMMANDS.items()]


@click.group(cls=Attune, epilog=ABOUT, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="attune", prog_name="attune")
def attune() -> None:
    """Train image classifiers from the answers of experts."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `attune` command: ends the process, with a sentence on stderr where something is wrong."""
    permissions.begin()
    _take_any_name()
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Do what ``arguments`` ask; the exit code. Whatever is raised becomes one sentence on stderr."""
    place = Place()
    try:
        code = attune.main(arguments, prog_name="attune", standalone_mode=False, obj=place)
    except click.Abort as error:
        cause = error.__cause__  # the end of a file that ends too soon is to click a Ctrl-D
        return _end(ending(cause if isinstance(cause, EOFError) else KeyboardInterrupt(), place.workspace), "")
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        return _end(ending(error, place.workspace), "attune: ")
    return code if isinstance(code, int) else 0


def _end(how: Ending, head: str) -> int:
    if how.said:
        click.echo(head + how.said, err=True)
    try:
        sys.stdout.flush()
    except OSError:  # else Python tries again as it ends, and says so in words of its own
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return how.code


def _take_any_name() -> None:
    """Have names printed that the terminal's encoding lacks: their bytes are written as ``\\xff``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
