"""The demo's people, whose one password everybody knows, and the door that no other machine may come to with it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from sqlalchemy import select

from attune.labeler.people import users
from attune.labeler.records.schema import Expert, User
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings, variable
from attune.models.errors import SettingsError

DOMAIN = "demo.example"
SIMULATED = ("ana", "ben", "chloe")
NEWCOMER = f"you@{DOMAIN}"
OWNER = f"owner@{DOMAIN}"
EXPERTS = (*(f"{name}@{DOMAIN}" for name in SIMULATED), NEWCOMER)
# The one place with a password that is known: the demo listens on this machine alone and holds drawings.
PASSWORD = "attune-demo"
DOORS = ("public_url", "label_studio_public_url", "label_studio_url")


def open_to_others(settings: Settings) -> str:
    """The setting, with its value, by which other machines come to the console or Label Studio; empty where none can.

    A public address on another host counts too: a proxy there leads to an app that listens on this machine alone.
    """
    if not _here(settings.host):
        return f"{variable('host')}={settings.host}"
    for name in DOORS:
        address = getattr(settings, name)
        if address and not _here(urlsplit(address).hostname or ""):
            return f"{variable(name)}={address}"
    return ""


def check_demo(settings: Settings) -> None:
    """Raise SettingsError where the demo would be open to other machines: it is made with the known password."""
    if given := open_to_others(settings):
        raise SettingsError(
            f"The demo has a public password, so it runs only for this computer; with {given} other computers "
            f"could reach it. Start it without {given.partition('=')[0]}. To see it from another computer, open "
            f"a tunnel there: `ssh -L {settings.web_port}:127.0.0.1:{settings.web_port} -L "
            f"{settings.label_studio_port}:127.0.0.1:{settings.label_studio_port} THIS-COMPUTER`. For a "
            "workspace with its own passwords: `attune up --workspace ./mine`"
        )


def check_served(settings: Settings) -> None:
    """Raise SettingsError where other machines reach a workspace that the known password still opens.

    The demo's experts are asked to go altogether: Label Studio keeps their password too, and it is not up yet.
    """
    given = open_to_others(settings)
    if not given:
        return
    with reading(settings) as session:
        experts = list(
            session.scalars(
                select(Expert.email)
                .where(Expert.email.in_(EXPERTS), Expert.removed_at.is_(None))
                .order_by(Expert.email)
            )
        )
        logins = list(session.scalars(select(User.email).where(User.email.in_((OWNER, *EXPERTS))).order_by(User.email)))
    known = [email for email in logins if email not in experts and users.verify(settings, email, PASSWORD)]
    if experts or known:
        where = f" --workspace {settings.workspace}"
        todo = [f"`attune expert remove {email}{where}`" for email in experts]
        todo += [f"`attune user password {email}{where}`" for email in known]
        raise SettingsError(
            "This is a demo workspace. The demo's public password still works for "
            f"{', '.join((*experts, *known))}, and with {given} other computers could use it. Create another "
            "workspace (`attune up --workspace ./mine`), or first end these logins (their answers are kept): "
            + "; ".join(todo)
        )


def _here(host: str) -> bool:
    """Whether ``host`` is this machine as only itself calls it."""
    name = host.lower().strip("[]").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


__all__ = ["DOMAIN", "NEWCOMER", "OWNER", "PASSWORD", "SIMULATED", "check_demo", "check_served", "open_to_others"]
