"""A real mail server in this process, which keeps what it is sent."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Post:
    """A mail server that asks for a password and keeps what it takes; it refuses addresses at ``nowhere``."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Message]] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.endswith("@nowhere.example"):
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        self.got.append((envelope.rcpt_tos[0], email.message_from_bytes(envelope.content)))
        return "250 OK"

    def login(self, _server: Any, _session: Any, _envelope: Any, _kind: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss word")


@contextmanager
def mail_server() -> Iterator[tuple[Post, str]]:
    """What the server gets, and its address with a login."""
    kept = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=port, authenticator=kept.login, auth_require_tls=False)
    controller.start()
    try:
        yield kept, f"smtp://attune:p%40ss%20word@127.0.0.1:{port}"
    finally:
        controller.stop()
