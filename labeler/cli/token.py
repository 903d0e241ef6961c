"""`attune token`: bearer tokens for pipelines on other machines."""

from __future__ import annotations

import click
from sqlalchemy import select

from labeler import tokens
from labeler.cli.shell import Shell, table
from labeler.cli.shell import command as attune_command
from labeler.records.schema import Token
from labeler.records.session import migrate, reading


@click.group()
def command() -> None:
    """What machines show to pull."""


@attune_command(command, "create")
@click.argument("name")
@click.option("--role", type=click.Choice(tokens.ROLES), default="pipeline", show_default=True, help="What it may do.")
def create(shell: Shell, name: str, role: str) -> None:
    """Make a token called NAME and print it, this once."""
    migrate(shell.settings)
    text = tokens.issue(shell.settings, name, role)
    shell.result({"name": name, "role": role, "token": text}, text)
    shell.hint(
        f"Shown this once. On the other machine: ATTUNE_URL={shell.settings.web_address} ATTUNE_TOKEN=… attune pull …"
    )


@attune_command(command, "list")
def list_(shell: Shell) -> None:
    """Every token's name, role and state; the tokens themselves are kept nowhere."""
    migrate(shell.settings)
    with reading(shell.settings) as session:
        rows = list(session.scalars(select(Token).order_by(Token.created_at)))
    found = [
        {"name": one.name, "role": one.role, "created_at": one.created_at, "revoked_at": one.revoked_at} for one in rows
    ]
    shell.result(found, table(("name", "role", "created", "revoked"), [tuple(one.values()) for one in found]))


@attune_command(command, "revoke")
@click.argument("name")
def revoke(shell: Shell, name: str) -> None:
    """Make every token called NAME useless, at once."""
    migrate(shell.settings)
    count = tokens.revoke(shell.settings, name)
    shell.result({"name": name, "revoked": count}, f"{name}: {count} token(s) revoked.")
