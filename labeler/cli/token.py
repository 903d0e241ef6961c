"""`attune token`: bearer tokens for pipelines on other machines."""

from __future__ import annotations

from datetime import datetime

import click
from sqlalchemy import select

from attune.labeler.cli.shell import Group, Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.people import tokens
from attune.labeler.records.schema import Token
from attune.labeler.records.session import reading
from attune.models.clock import iso


@click.group(cls=Group)
def command() -> None:
    """Make the tokens that other machines show to pull, list them, revoke them."""


@attune_command(command, "create", example="attune token create nightly")
@click.argument("name")
@click.option("--role", type=click.Choice(tokens.ROLES), default="pipeline", show_default=True, help="What it may do.")
def create(shell: Shell, name: str, role: str) -> None:
    """Make a token called NAME and print it, this once."""
    text = tokens.issue(shell.settings, name, role)
    shell.result({"name": name, "role": role, "token": text}, text)
    shell.hint(
        f"Shown this once. On the other machine: ATTUNE_URL={shell.settings.web_address} ATTUNE_TOKEN=… attune pull …"
    )


@attune_command(command, "list", example="attune token list")
def list_(shell: Shell) -> None:
    """Every token's name, role and state; the tokens themselves are kept nowhere."""
    with reading(shell.settings) as session:
        rows = list(session.scalars(select(Token).order_by(Token.created_at)))
    found = [
        {
            "name": one.name,
            "role": one.role,
            "created_at": iso(one.created_at),
            "revoked_at": None if one.revoked_at is None else iso(one.revoked_at),
        }
        for one in rows
    ]
    cells = [(one.name, one.role, _day(one.created_at), _day(one.revoked_at)) for one in rows]
    shell.result(found, table(("name", "role", "created (UTC)", "revoked (UTC)"), cells))
    if not found:
        shell.hint("No token yet: attune token create NAME")


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M}"


@attune_command(command, "revoke", example="attune token revoke nightly")
@click.argument("name")
def revoke(shell: Shell, name: str) -> None:
    """Make every token called NAME useless, at once."""
    count = tokens.revoke(shell.settings, name)
    shell.result({"name": name, "revoked": count}, f"{name}: {count} token(s) revoked.")
