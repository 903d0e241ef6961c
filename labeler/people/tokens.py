"""Bearer tokens of machines: shown once when made, kept as their sha256 alone."""

from __future__ import annotations

import hmac
import secrets as chance
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from attune.labeler.records.cache import CommitCache
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Token
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import Secrets
from attune.models.clock import now
from attune.models.errors import DataError, RecordsError
from attune.models.files.atomic import digest_bytes

ROLES = ("pipeline", "owner", "admin")
MACHINE = "this machine"
# Built once, as every request of a pipeline asks it.
_LIVE = select(Token.name, Token.role).where(Token.digest == bindparam("digest"), Token.revoked_at.is_(None))
PAGE = 50


@dataclass(frozen=True)
class Bearer:
    """Who shows a token, and what it may do."""

    name: str
    role: str


_remembered: CommitCache[Bearer | None] = CommitCache()


def issue(settings: Settings, name: str, role: str = "pipeline") -> str:
    """Make a token and return its text, which is kept nowhere. Raises DataError, naming the field."""
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise DataError(f"name: {name!r} is not allowed. Use 1 to 80 characters, such as nightly-scores.")
    if role not in ROLES:
        raise DataError(f"role: {role!r} does not exist. Expected one of {', '.join(ROLES)}.")
    text = "attune_" + chance.token_urlsafe(30)
    with writing(settings) as session:
        session.add(Token(name=name, role=role, digest=_digest(text), created_at=now()))
    return text


def page(settings: Settings, number: int = 1) -> Page[Token]:
    """Every token, the live ones first, newest first; their texts are kept nowhere."""
    with reading(settings) as session:
        query = select(Token).order_by(Token.revoked_at.is_not(None), Token.created_at.desc(), Token.id)
        return page_of(session, query, number, PAGE)


def revoke(settings: Settings, name: str) -> int:
    """Make every token of this name useless; how many there were. Raises RecordsError where there was none."""
    with writing(settings) as session:
        live = update(Token).where(Token.name == name, Token.revoked_at.is_(None)).values(revoked_at=now())
        count = int(session.execute(live).rowcount)  # type: ignore[attr-defined]
    if not count:
        raise RecordsError(f"No valid token is called {name!r}. To list all tokens: `attune token list`")
    return count


def bearer(settings: Settings, secrets: Secrets, text: str) -> Bearer | None:
    """Who ``text`` belongs to, else None. The workspace's own machine token counts as a pipeline."""
    if hmac.compare_digest(text.encode(), secrets.machine_token.encode()):
        return Bearer(MACHINE, "pipeline")
    digest = _digest(text)
    return _remembered.get(settings.records_url, digest, lambda: _asked(settings, digest))


def _asked(settings: Settings, digest: str) -> Bearer | None:
    with reading(settings) as session:
        row = session.execute(_LIVE, {"digest": digest}).one_or_none()
    return Bearer(row.name, row.role) if row else None


def _digest(text: str) -> str:
    return digest_bytes(text.encode())
