"""`attune expert`: who answers, with which queues."""

from __future__ import annotations

from dataclasses import asdict

import click

from labeler import experts
from labeler.cli.shell import Shell, table
from labeler.cli.shell import command as attune_command
from labeler.records.session import migrate


@click.group()
def command() -> None:
    """People who answer."""


@attune_command(command, "add")
@click.argument("email")
@click.option("--attribute", "wanted", multiple=True, help="Answers this attribute only; may be given more than once.")
@click.option("--name", help="How the console calls the person; the address's first part unless given.")
def add(shell: Shell, email: str, wanted: tuple[str, ...], name: str | None) -> None:
    """Add the expert EMAIL: a login, and a queue for each attribute (without --attribute also for later ones)."""
    migrate(shell.settings)
    made = experts.add(shell.settings, email, wanted, name)
    lines = [f"{made.name} <{made.email}>", f"  console:  {made.console}"]
    if made.password:
        lines.append(f"  password: {made.password}   (shown this once; the same for Label Studio)")
    lines += [f"  {attribute}: {link}" for attribute, link in made.queues.items()]
    shell.result(asdict(made), "\n".join(lines))
    if made.queues:
        shell.hint(f"Fill the queues: attune batch {next(iter(made.queues))} --size 40")


@attune_command(command, "list")
def list_(shell: Shell) -> None:
    """Every expert, the answers given and the queues."""
    migrate(shell.settings)
    rows = experts.every(shell.settings)
    cells = [(row["email"], row["name"], row["answers"], ", ".join(row["queues"])) for row in rows]
    shell.result(rows, table(("address", "name", "answers", "attributes"), cells))


@attune_command(command, "remove")
@click.argument("email")
def remove(shell: Shell, email: str) -> None:
    """Take EMAIL's queues and console login away; the answers stay."""
    migrate(shell.settings)
    done = experts.remove(shell.settings, email)
    shell.result(done, f"{done['email']}: {done['queues_closed']} queues closed, {done['answers_kept']} answers kept.")
    shell.hint("The login in Label Studio remains: an administrator removes it there, on the page Organization.")
