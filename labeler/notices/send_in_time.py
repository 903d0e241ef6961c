"""Send one mail while a person waits for the page: within a few seconds in all, or say truly what became of it.

Each step of SMTP may take seconds, and a name may take as long to be found, so no timeout of a socket bounds the whole.
The mail is sent by a thread beside the request. When the time is over and the mail has not been begun, it is never
sent. In the middle of sending, whether the server took it is not known, and the page says so.
"""

from __future__ import annotations

import smtplib
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import Enum

from attune.labeler.notices.delivery import mail_server
from attune.labeler.settings import Settings

SECONDS = 5.0  # in all


class Outcome(Enum):
    """What became of a mail that raised no error."""

    SENT = "sent"
    NOT_SENT = "not sent"  # the time was over before it was begun; it will not be sent later
    UNKNOWN = "unknown"  # the time was over, or the connection, while the server had it


@dataclass
class _Attempt:
    """One mail on its way; ``lock`` decides whether it was begun before the time was over."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: bool = False
    given_up: bool = False
    sent: bool = False
    error: Exception | None = None

    def begin(self) -> bool:
        """Whether the mail may be sent now."""
        with self.lock:
            self.begun = not self.given_up
            return self.begun

    def give_up(self) -> bool:
        """Whether it was not begun, and so will never be."""
        with self.lock:
            self.given_up = True
            return not self.begun


def send(settings: Settings, letter: EmailMessage) -> Outcome:
    """Send ``letter``, and wait for it at most ``SECONDS``.

    Raises ServiceDown where a password would go without encryption; OSError, ValueError, SMTPException where the server
    did not take it.
    """
    attempt = _Attempt()
    # A daemon: the process may end while a server does not answer.
    thread = threading.Thread(target=_run, args=(settings, letter, attempt), name="attune-mail", daemon=True)
    thread.start()
    thread.join(SECONDS)
    if attempt.sent:
        return Outcome.SENT
    if thread.is_alive():
        return Outcome.NOT_SENT if attempt.give_up() else Outcome.UNKNOWN
    if attempt.begun and isinstance(attempt.error, smtplib.SMTPServerDisconnected):
        return Outcome.UNKNOWN
    if attempt.error is not None:
        raise attempt.error
    return Outcome.SENT


def _run(settings: Settings, letter: EmailMessage, attempt: _Attempt) -> None:
    try:
        with mail_server(settings, SECONDS) as server:
            if attempt.begin():
                server.send_message(letter)
                attempt.sent = True  # whatever the server says to the good-bye
    except Exception as error:  # raised again where the person waits: who says nothing of it would say that it was sent
        attempt.error = error
