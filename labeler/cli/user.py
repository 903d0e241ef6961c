"""`attune user`: logins of the console for model owners and administrators (experts come with `attune expert add`)."""

from __future__ import annotations

import click

from labeler import people, sign_in_links
from labeler.cli.shell import Group, Shell, table
from labeler.cli.shell import command as attune_command
from labeler.experts import fresh_password


@click.group(cls=Group)
def command() -> None:
    """Make the console's logins, list them, take them away."""


@attune_command(command, "add", example="attune user add mo@studio.example --role owner")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice(["owner", "admin"]),
    default="owner",
    show_default=True,
    help="An owner promotes probes; an admin also manages people.",
)
def add(shell: Shell, email: str, role: str) -> None:
    """Make a login of the console for EMAIL."""
    password = fresh_password()
    made = people.create(shell.settings, email, role, password)
    value = {"email": made.email, "role": role, "password": password, "console": shell.settings.web_address}
    text = (
        f"{made.email} ({role})\n  console:  {shell.settings.web_address}\n  password: {password}   (shown this once)"
    )
    shell.result(value, text)


@attune_command(command, "list", example="attune user list")
def list_(shell: Shell) -> None:
    """Every login of the console and its role."""
    rows = people.every(shell.settings)
    found = [{"email": one.email, "role": one.role, "disabled": one.disabled_at is not None} for one in rows]
    shell.result(found, table(("address", "role", "disabled"), [tuple(one.values()) for one in found]))


@attune_command(command, "password", example="attune user password mo@studio.example")
@click.argument("email")
def password(shell: Shell, email: str) -> None:
    """Give EMAIL a new password for the console; older sessions end."""
    made = fresh_password()
    people.set_password(shell.settings, email, made)
    shell.result({"email": email, "password": made}, f"{email}\n  password: {made}   (shown this once)")


@attune_command(command, "remove", example="attune user remove mo@studio.example")
@click.argument("email")
def remove(shell: Shell, email: str) -> None:
    """Take EMAIL's login of the console away; sessions end at once."""
    people.remove(shell.settings, email)
    shell.result({"email": email, "removed": True}, f"{email} cannot log in any more.")


@attune_command(command, "role", example="attune user role mo@studio.example admin")
@click.argument("email")
@click.argument("role", type=click.Choice(people.ROLES))
def role(shell: Shell, email: str, role: str) -> None:
    """Change what EMAIL may do; sessions end at once. The last admin keeps the role."""
    people.set_role(shell.settings, email, role)
    shell.result({"email": email, "role": role}, f"{email} is {role} from now on.")


@attune_command(command, "disable", example="attune user disable mo@studio.example")
@click.argument("email")
def disable(shell: Shell, email: str) -> None:
    """Shut EMAIL out until `attune user enable`; sessions end at once."""
    people.disable(shell.settings, email)
    shell.result({"email": email, "disabled": True}, f"{email} is shut out; `attune user enable {email}` undoes it.")


@attune_command(command, "enable", example="attune user enable mo@studio.example")
@click.argument("email")
def enable(shell: Shell, email: str) -> None:
    """Let EMAIL log in again, with the password of before."""
    people.enable(shell.settings, email)
    shell.result({"email": email, "disabled": False}, f"{email} can log in again.")


@attune_command(command, "link", example="attune user link mo@studio.example")
@click.argument("email")
def link(shell: Shell, email: str) -> None:
    """Print a link that lets EMAIL into the console once, within three days; an older one ends."""
    made = sign_in_links.make(shell.settings, email)
    shell.result({"email": email, "link": made}, f"{email}\n  {made}   (shown this once)")
