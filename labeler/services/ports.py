"""Ports: fixed unless asked for free ones, and never taken over silently from another program."""

from __future__ import annotations

import secrets as chance
import socket
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path

from attune.labeler.services.parts import Part
from attune.labeler.services.port_owner import holder
from attune.labeler.services.reserved_ports import reserve
from attune.labeler.settings import Settings, variable
from attune.models.errors import PortBusy
from attune.models.reasons import reason

USUAL = range(20_000, 32_000)  # below the ports that Linux and macOS give to outgoing connections by default
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
TRIES = 200


def free_ports(settings: Settings, keep: bool = False) -> Settings:
    """``settings`` with ports for the web app, Label Studio and Redis that nothing listens on just now.

    No other process of this user is given them while this one lives. ``keep``: its own ones where they are free, so
    that links and bookmarks continue working.
    """
    names = ("web_port", "label_studio_port", "redis_port")
    with ExitStack() as stack:
        # All three are held at once, or the same one could be given twice.
        ports = {
            name: stack.enter_context(_free(settings.host, getattr(settings, name) if keep else None)).getsockname()[1]
            for name in names
        }
    return replace(settings, **ports)


def _free(host: str, required_port: int | None) -> socket.socket:
    """A socket on the port ``required_port`` or on any other that no one else is given until our part listens there."""
    among = candidates()
    first = [] if required_port is None else [required_port]
    for port in chain(first, (chance.choice(among) for _ in range(TRIES))):
        with suppress(OSError):
            bound_socket = _bound(host, port)
            if reserve(port):
                return bound_socket
            bound_socket.close()
    raise PortBusy(
        f"All ports of {host} from {among.start} to {among.stop - 1} are in use. To see by which programs: `ss -ltnp`"
    )


def candidates(outgoing: Path = OUTGOING) -> range:
    """Ports that this machine gives to no outgoing connection, which would hold one as a listener does."""
    try:
        first, last = (int(word) for word in outgoing.read_text().split())
    except (OSError, ValueError):
        return USUAL
    if first >= USUAL.stop or last < USUAL.start:
        return USUAL
    beside = max(range(10_000, first), range(last + 1, 65_536), key=len)
    return beside if len(beside) >= TRIES else USUAL


def check(parts: Iterable[Part]) -> None:
    """Raise PortBusy for the first part whose port is taken.

    Label Studio would move to the next port by itself, where no one looks for it.
    """
    for part in parts:
        if part.port is None:
            continue
        host, port, setting = part.port
        try:
            _bound(host, port).close()
        except OSError as error:
            raise PortBusy(
                f"Port {port} of {host} is unavailable: {reason(error)}{holder(port, error)}. It is the port of "
                f"{part.title}. If another Attune uses it, stop that one with Ctrl-C. Or set {variable(setting)} to "
                "another port, or run: `attune up --free-ports`"
            ) from error


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    new_socket = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Without this a port stays busy for a minute after its last listener is gone.
        new_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        new_socket.bind((host, port))
    except OSError:
        new_socket.close()
        raise
    return new_socket
