"""`attune queue`: the experts' queues of an attribute, and an owner's pause of one of them."""

from __future__ import annotations

import click

from attune.labeler.cli.shell import Group, Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.queues import stopping
from attune.labeler.queues.stopping import Stopped
from attune.labeler.views import expert_queues


@click.group(cls=Group)
def command() -> None:
    """List the experts' queues of an attribute, and stop or start one."""


@attune_command(command, "list", example="attune queue list serious")
@click.argument("name")
def list_(shell: Shell, name: str) -> None:
    """List the queues of NAME: images that wait, answers, seconds per answer, and state."""
    queues = expert_queues.of(shell.settings, name)
    cells = [
        (
            one.email,
            one.waiting,
            one.answers,
            f"{one.last_at:%Y-%m-%d %H:%M}" if one.last_at else "",
            "" if one.seconds is None else f"{one.seconds:.1f}",
            one.state,
        )
        for one in queues
    ]
    shell.result(
        [one.to_dict() for one in queues],
        table(("expert", "waiting", "answers", "last answer (UTC)", "seconds", "state"), cells),
    )
    if not queues:
        shell.hint(f"No queues yet. Add an expert: `attune expert add EMAIL --attribute {name}`")


@attune_command(command, "stop", example="attune queue stop serious ana@studio.example")
@click.argument("name")
@click.argument("email")
def stop(shell: Shell, name: str, email: str) -> None:
    """Stop the queue of EMAIL for NAME. It asks nothing new until you start it. All answers stay."""
    _tell(shell, stopping.stop(shell.settings, name, email, who()))
    shell.hint(f"Undo: `attune queue start {name} {email}`")


@attune_command(command, "start", example="attune queue start serious ana@studio.example")
@click.argument("name")
@click.argument("email")
def start(shell: Shell, name: str, email: str) -> None:
    """Start the stopped queue of EMAIL for NAME again."""
    _tell(shell, stopping.start(shell.settings, name, email))


def _tell(shell: Shell, done: Stopped) -> None:
    state = "stopped" if done.is_stopped else "open"
    facts = {"attribute": done.attribute, "expert": done.expert, "state": state, "given_back": done.given_back}
    shell.result(facts, done.sentence)
