"""Send one notice out: posted to a webhook with a signature, or by mail. Whatever fails is told without addresses."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import requests
from sqlalchemy import select

from attune.labeler.records.schema import Attribute, Expert, Notice, User
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings, secrets
from attune.models.clock import iso, now
from attune.models.errors import ServiceDown
from attune.models.reasons import reason

SECONDS = 10
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SIGNATURE, TIMESTAMP, NUMBER = "X-Attune-Signature", "X-Attune-Timestamp", "X-Attune-Notice"


def sign(key: str, timestamp: str, body: bytes) -> str:
    """``sha256=`` and the HMAC-SHA256 of ``timestamp``, a dot and ``body``, in hexadecimal."""
    return "sha256=" + hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def post(settings: Settings, notice: Notice, attribute: str | None) -> None:
    """Post a notice to the webhook: what happened to which attribute, without people, images, reasons or errors.

    A redirect is not followed: it would carry the body and its signature to an address that no one set. Raises
    ServiceDown where the receiver does not answer 2xx.
    """
    body = json.dumps(
        {
            "id": notice.id,
            "kind": notice.kind,
            "title": notice.title,
            "attribute": attribute,
            "link": settings.web_address + notice.link,
            "at": iso(notice.at),
        },
        ensure_ascii=False,
    ).encode()
    timestamp = iso(now())
    key = settings.notify_webhook_secret or secrets.load(settings.secrets).notice_key
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "attune",
        SIGNATURE: sign(key, timestamp, body),
        TIMESTAMP: timestamp,
        NUMBER: str(notice.id),
    }
    try:
        with requests.post(
            settings.notify_webhook_url or "", data=body, headers=headers, timeout=SECONDS, allow_redirects=False,
            stream=True,
        ) as reply:  # fmt: skip
            status = reply.status_code
    except requests.RequestException:
        # Its text would hold the whole address, which often carries a token.
        raise ServiceDown("The webhook is unavailable. Check ATTUNE_NOTIFY_WEBHOOK_URL.") from None
    if not 200 <= status < 300:
        moved = ", a redirect. Attune does not follow redirects" if 300 <= status < 400 else ""
        raise ServiceDown(f"The webhook answered {status}{moved}.")


def mail(settings: Settings, notice: Notice) -> str:
    """Send a notice by mail to each receiver by itself; a remark where some were refused, else empty.

    Raises ServiceDown where no one could be sent it.
    """
    to = receivers(settings, notice)
    if not to:
        return "no receiver"
    refused: list[str] = []
    try:
        with mail_server(settings) as server:
            for address in to:
                try:
                    server.send_message(_letter(settings, notice, address, settings.notify_from or to[0]))
                except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
                    refused.append(why_refused(error))
    except (OSError, smtplib.SMTPException) as error:
        raise ServiceDown(f"The mail server did not accept the notice: {why_refused(error)}.") from None
    if len(refused) == len(to):
        raise ServiceDown(f"The mail server refused all {len(to)} receivers: {refused[0]}.")
    return f"{len(refused)} of {len(to)} receivers were refused" if refused else ""


def mail_server(settings: Settings, seconds: float = SECONDS) -> smtplib.SMTP:
    """A connection to the mail server: encrypted from the start for smtps, else as soon as it offers that.

    Each step waits at most ``seconds``.

    Raises OSError, SMTPException, and ServiceDown where a password would go without encryption.
    """
    parts = urlsplit(settings.smtp_url or "")
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=seconds, context=context)
        secure = True
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=seconds)
        server.ehlo()
        secure = server.has_extn("starttls")
        if secure:
            server.starttls(context=context)
            server.ehlo()
    if parts.username:
        if not secure and host not in LOOPBACK:
            server.close()
            raise ServiceDown("The mail server has no encryption, so Attune does not send the password. Use smtps://.")
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


def _letter(settings: Settings, notice: Notice, to: str, sender: str) -> EmailMessage:
    letter = EmailMessage()
    letter["Subject"] = "Attune: " + " ".join(notice.title.split())
    letter["From"], letter["To"] = sender, to
    letter["Date"] = format_datetime(now())
    letter["X-Attune-Notice"] = str(notice.id)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(f"{notice.title}\n\n{notice.text}\n\n{settings.web_address}{notice.link}\n")
    return letter


def receivers(settings: Settings, notice: Notice) -> Sequence[str]:
    """The addresses that a notice goes to: its person's, else those that are set, else every owner's and admin's.

    Without those whose login wants this kind in the console alone.
    """
    addresses = _addresses(settings, notice)
    with reading(settings) as session:
        logins = session.execute(
            select(User.email, User.no_mail).where(User.email.in_([one.casefold() for one in addresses]))
        )
        silent = {email for email, kinds in logins if notice.kind in kinds}
    return [one for one in addresses if one.casefold() not in silent]


def _addresses(settings: Settings, notice: Notice) -> list[str]:
    with reading(settings) as session:
        if notice.user_id is not None:
            mine = (User.id == notice.user_id, User.disabled_at.is_(None))
            return list(session.scalars(select(User.email).where(*mine)))
        if notice.expert_id is not None:
            there = (Expert.id == notice.expert_id, Expert.removed_at.is_(None))
            return list(session.scalars(select(Expert.email).where(*there)))
        if settings.notify_to:
            return [one.strip() for one in settings.notify_to.split(",") if one.strip()]
        managers = (User.role.in_(("owner", "admin")), User.disabled_at.is_(None))
        return list(session.scalars(select(User.email).where(*managers).order_by(User.email)))


def attribute_of(settings: Settings, notice: Notice) -> str | None:
    """The name of the attribute that a notice is about."""
    with reading(settings) as session:
        return session.scalar(select(Attribute.name).where(Attribute.id == notice.attribute_id))


def why_refused(error: Exception) -> str:
    """Why a mail server did not take a mail, without addresses."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "it rejected the login in ATTUNE_SMTP_URL"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPException):
        return "it closed the connection, or refused an email address"
    return reason(error)
