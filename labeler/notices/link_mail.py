"""Send a person's own link by mail: once, at once, and from nowhere but the memory of whoever made it.

A link opens the console, so it is kept in no record, no job and no log: a mail that was not accepted is not tried
again, and the page that shows the link says so.
"""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from attune.labeler.notices import send_in_time
from attune.labeler.notices.delivery import why_refused
from attune.labeler.notices.send_in_time import Outcome
from attune.labeler.people import login_links
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import ServiceDown

SETTING = "ATTUNE_SMTP_URL"
CHECK = f"Copy the link instead. An admin can check {SETTING} with `attune notices test`."
NOT_SET = f"Attune cannot send this link by email, because {SETTING} is not set."


@dataclass(frozen=True)
class Mailed:
    """Whether the mail server took the mail, and a sentence for the page; ``failed``: it should have and did not."""

    is_sent: bool
    text: str
    failed: bool = False


MANAGERS_LINK = (
    "Attune does not email the login link of an owner or admin, because it opens everything. Hand it over yourself."
)


def is_set_up(settings: Settings) -> bool:
    """Whether a mail server is set."""
    return bool(settings.smtp_url)


def invite(settings: Settings, to: str, link: str, role: str, who: str) -> Mailed:
    """Mail the login ``link`` to the person whose it is, at ``to``, if its ``role`` is expert; ``who`` made it."""
    if role != "expert" and is_set_up(settings):
        return Mailed(False, MANAGERS_LINK)
    text = (
        f"{who} gives you access to Attune. There you answer questions about images.\n\nOpen this link to log in:\n\n"
        f"{link}\n\n{_rules(link)}"
    )
    return _send(settings, to, "Attune: your login link", text)


def ask_for_labels(settings: Settings, to: str, link: str, who: str, question: str, waiting: int) -> Mailed:
    """Mail the way to the labelling page of ``question`` to ``to``: ``waiting`` images wait there."""
    images = {0: "New images come", 1: "1 image waits"}.get(waiting, f"{waiting} images wait")
    text = (
        f"{who} asks you for more answers to this question:\n\n{question}\n\n{images} for you. Open this link to start:"
        f"\n\n{link}\n\n{_rules(link)}"
    )
    return _send(settings, to, "Attune: please answer more images", text)


def _rules(link: str) -> str:
    if login_links.PATH not in link:
        return "Log in as usual.\n"
    end = now() + login_links.LIFETIME
    return (
        f"The link logs you in without a password. It works once, until {end:%d %B %Y, %H:%M} UTC, and it is yours "
        "alone: do not forward this email. If it does not work any more, ask for a new one.\n"
    )


def _send(settings: Settings, to: str, subject: str, text: str) -> Mailed:
    if not is_set_up(settings):
        return Mailed(False, NOT_SET)
    letter = EmailMessage()
    letter["Subject"], letter["To"], letter["From"] = subject, to, settings.notify_from or to
    letter["Date"], letter["Auto-Submitted"] = format_datetime(now()), "auto-generated"
    letter.set_content(text)
    try:
        outcome = send_in_time.send(settings, letter)
    except ServiceDown as error:
        return Mailed(False, f"The email to {to} was not sent. {error} Copy the link instead.", failed=True)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        return Mailed(
            False,
            f"The email to {to} was not sent: the mail server did not accept it ({why_refused(error)}). {CHECK}",
            failed=True,
        )
    if outcome is Outcome.SENT:
        return Mailed(True, f"Sent to {to} by email.")
    if outcome is Outcome.NOT_SENT:
        late = f"the mail server did not answer within {send_in_time.SECONDS:g} seconds"
        return Mailed(False, f"The email to {to} was not sent: {late}. {CHECK}", failed=True)
    why = "the mail server did not confirm it in time"
    return Mailed(False, f"Attune does not know whether the email to {to} was sent: {why}. {CHECK}", failed=True)
