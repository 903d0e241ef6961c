"""`attune user`: logins of the console for model owners and administrators (experts come with `attune expert add`)."""

from __future__ import annotations

import click

from attune.labeler.cli.shell import Group, Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.people import end_access, invite, login_links, login_sessions, users
from attune.labeler.people.end_access import Outcome
from attune.labeler.people.experts import fresh_password
from attune.models.clock import iso
from attune.models.errors import DataError
from attune.models.text import plural


@click.group(cls=Group)
def command() -> None:
    """Add, list, change and remove logins of the console."""


@attune_command(command, "add", example="attune user add mo@studio.example --role owner")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice(["owner", "admin"]),
    default="owner",
    show_default=True,
    help="Role: an owner promotes versions; an admin also manages people.",
)
def add(shell: Shell, email: str, role: str) -> None:
    """Add a login to the console for EMAIL."""
    if not shell.settings.passwords:
        return _add_without_password(shell, email, role)
    password = fresh_password()
    user = users.create(shell.settings, email, role, password)
    value = {"email": user.email, "role": role, "password": password, "console": shell.settings.web_address}
    text = (
        f"{user.email} ({role})\n  console:  {shell.settings.web_address}\n  password: {password}   (shown only once)"
    )
    shell.result(value, text)


def _add_without_password(shell: Shell, email: str, role: str) -> None:
    user = users.create(shell.settings, email, role, fresh_password())
    value = {"email": user.email, "role": role, "password": None, "console": shell.settings.web_address}
    shell.result(value, f"{user.email} ({role})\n  console:  {shell.settings.web_address}")
    shell.hint(
        f"Passwords are turned off. {user.email} logs in with the company's account, or by a link: {_link(user.email)}"
    )


def _link(email: str) -> str:
    return f"`attune user link {email}`"


@attune_command(command, "list", example="attune user list")
def list_(shell: Shell) -> None:
    """List every login of the console with its role."""
    rows = users.every(shell.settings)
    found = [{"email": one.email, "role": one.role, "disabled": one.disabled_at is not None} for one in rows]
    shell.result(found, table(("address", "role", "disabled"), [tuple(one.values()) for one in found]))


@attune_command(command, "password", example="attune user password mo@studio.example")
@click.argument("email")
def password(shell: Shell, email: str) -> None:
    """Give EMAIL a new password for the console. Older sessions and links end."""
    if not shell.settings.passwords:
        raise DataError(
            "Passwords are turned off (ATTUNE_PASSWORDS is no), so a new one would open nothing. Nothing was changed. "
            f"For a login link: {_link(email)}"
        )
    new_password = fresh_password()
    users.set_password(shell.settings, email, new_password)
    shell.result({"email": email, "password": new_password}, f"{email}\n  password: {new_password}   (shown only once)")


@attune_command(command, "remove", example="attune user remove mo@studio.example")
@click.argument("email")
def remove(shell: Shell, email: str) -> None:
    """Remove EMAIL: end the login, all sessions, the queues and the access to Label Studio."""
    _print_outcome(shell, users.remove(shell.settings, email, wait=True), {"removed": True}, "is removed.")


@attune_command(command, "role", example="attune user role mo@studio.example admin")
@click.argument("email")
@click.argument("role", type=click.Choice(users.ROLES))
def role(shell: Shell, email: str, role: str) -> None:
    """Change the role of EMAIL. Sessions end at once. The last admin keeps the role."""
    users.set_role(shell.settings, email, role)
    shell.result({"email": email, "role": role}, f"{email} is now {role}.")


@attune_command(command, "disable", example="attune user disable mo@studio.example")
@click.argument("email")
def disable(shell: Shell, email: str) -> None:
    """Disable EMAIL's login to the console and Label Studio until `attune user enable`. Sessions end at once."""
    done = users.disable(shell.settings, email, wait=True)
    _print_outcome(shell, done, {"disabled": True}, f"is disabled. Undo: `attune user enable {done.email}`")


@attune_command(command, "enable", example="attune user enable mo@studio.example")
@click.argument("email")
def enable(shell: Shell, email: str) -> None:
    """Enable EMAIL's login, with a new link and, for an expert, a new password for Label Studio."""
    reopened = invite.reopen(shell.settings, email, who=who())
    value = {
        "email": reopened.email,
        "disabled": False,
        "link": reopened.link,
        "label_studio_password": reopened.password,
    }
    lines = [f"{reopened.email} is enabled. Older passwords, links and sessions stay invalid.", f"  {reopened.link}"]
    if reopened.password:
        lines.append(
            f"  Label Studio: {reopened.label_studio}  password: {reopened.password}   (after the workers have set it)"
        )
    shell.result(value, "\n".join([*lines, "  (shown only once)"]))


@attune_command(command, "sessions", example="attune user sessions mo@studio.example --end")
@click.argument("email")
@click.option("--end", "ends", is_flag=True, help="End all sessions. EMAIL must then log in again in every browser.")
def sessions_(shell: Shell, email: str, ends: bool) -> None:
    """List the browsers in which EMAIL is logged in to the console."""
    person = users.find_person(shell.settings, email)
    sessions = login_sessions.of(shell.settings, person.id)
    rows = [
        {"browser": one.origin.browser, "network_address": one.origin.network_address}
        | {"since": iso(one.made_at), "last_seen": iso(one.last_seen)}
        for one in sessions
    ]
    ended = login_sessions.end_others(shell.settings, person.id) if ends else 0
    session_table = table(("browser", "network address", "since", "last seen"), [tuple(row.values()) for row in rows])
    value = {"email": person.email, "sessions": rows, "ended": ended}
    shell.result(value, f"{session_table}\n{plural(ended, 'session')} ended." if ends else session_table)


def _print_outcome(shell: Shell, done: Outcome, more: dict[str, bool], summary: str) -> None:
    lines = [f"{done.email} {summary}", f"  console: {done.in_console}", f"  Label Studio: {done.in_label_studio}"]
    shell.result({"email": done.email} | more | end_access.outcome_facts(done), "\n".join(lines))


@attune_command(command, "link", example="attune user link mo@studio.example")
@click.argument("email")
def link(shell: Shell, email: str) -> None:
    """Print a login link for EMAIL. It works once, within three days. An older link ends."""
    made = login_links.make(shell.settings, email, who=who())
    shell.result({"email": email, "link": made}, f"{email}\n  {made}   (shown only once)")
