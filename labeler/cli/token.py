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
from attune.models.text import plural


@click.group(cls=Group)
def command() -> None:
    """Create, list and revoke API tokens for pipelines."""


@attune_command(command, "create", example="attune token create nightly")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(tokens.ROLES), default="pipeline", show_default=True, help="What the token may do."
)
def create(shell: Shell, name: str, role: str) -> None:
    """Create an API token called NAME and print it once."""
    text = tokens.issue(shell.settings, name, role)
    shell.result({"name": name, "role": role, "token": text}, text)
    shell.hint(
        f"The token is shown only once. On the pipeline's computer: `ATTUNE_URL={shell.settings.web_address} "
        "ATTUNE_TOKEN=… attune pull …`"
    )


@attune_command(command, "list", example="attune token list")
def list_(shell: Shell) -> None:
    """List the name, role and state of every API token. Tokens are not stored, only their digests."""
    with reading(shell.settings) as session:
        rows = list(session.scalars(select(Token).order_by(Token.created_at)))
    token_rows = [
        {
            "name": token.name,
            "role": token.role,
            "created_at": iso(token.created_at),
            "revoked_at": None if token.revoked_at is None else iso(token.revoked_at),
        }
        for token in rows
    ]
    cells = [(token.name, token.role, _day(token.created_at), _day(token.revoked_at)) for token in rows]
    shell.result(token_rows, table(("name", "role", "created (UTC)", "revoked (UTC)"), cells))
    if not token_rows:
        shell.hint("No API tokens yet. Create one: `attune token create NAME`")


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M}"


@attune_command(command, "revoke", example="attune token revoke nightly")
@click.argument("name")
def revoke(shell: Shell, name: str) -> None:
    """Revoke every API token called NAME, at once."""
    count = tokens.revoke(shell.settings, name)
    shell.result({"name": name, "revoked": count}, f"{plural(count, 'token')} named {name} revoked.")
