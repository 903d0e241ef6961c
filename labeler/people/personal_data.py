"""What the records hold of a person, and its erasure: rows that are the person's alone go, elsewhere an alias stands.

The alias takes the place of the address in every text and JSON of every table, found by their types: a table that comes
later is covered unasked. What a person wrote by hand (comments, notes, searches) is emptied, as it may tell who it was.
"""

from __future__ import annotations

import json
import re
import secrets as chance
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import JSON, ColumnElement, String, Table, Text, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from attune.labeler.people.end_access import GONE
from attune.labeler.records.schema import (
    Asset,
    Base,
    Comment,
    ConsoleSession,
    Expert,
    Notice,
    NoticeRead,
    Pick,
    ScopeDecision,
    SignInLink,
    User,
)
from attune.models.clock import now

DOMAIN = "@erased.invalid"  # a domain that never exists (RFC 2606)
WROTE = "(erased, with the person who wrote it)"
# A version's manifest never changes: its digest is what pipelines check. It counts experts and names none.
FIXED = {("versions", "manifest"), ("space_versions", "manifest"), ("insight_versions", "manifest")}
# Images, vectors and answers are found by these; with an alias in them they would be found no more.
FIXED |= {("assets", "asset_id"), ("assets", "title_id"), ("assets", "uri"), ("strays", "asset_id")}
FIXED |= {("watched", "title_id"), ("look_alikes", "title"), ("look_alikes", "titles_before")}
# So that diana@ is not ana@, nor .org.uk .org; "=" and "/" may begin one, as URLs and paths have it.
BEFORE, AFTER = r"(?<![\w.+-])", r"(?![\w-]|\.\w)"


@dataclass(frozen=True)
class Erasure:
    """What changed in the records: rows ``deleted``, texts ``emptied``, and rows in which the alias ``replaced`` the
    address; ``images`` whose location, id or title holds the address, and stays as it is."""

    deleted: int
    emptied: int
    replaced: int
    images: int = 0


def new_alias() -> str:
    """An address that is nobody's and says nothing of whose it was."""
    return f"left-{chance.token_hex(6)}{DOMAIN}"


def is_alias(email: str) -> bool:
    """Whether ``email`` stands for someone who was erased."""
    return email.endswith(DOMAIN)


def name_of(alias: str) -> str:
    """The name of an erased expert on pages."""
    return f"Expert who left ({alias.removeprefix('left-')[:4]})"


def erase(session: Session, email: str, alias: str) -> Erasure:
    """Erase the person ``email`` from the records, in the caller's transaction. Done twice, it finds nothing more."""
    expert = session.scalar(select(Expert).where(Expert.email == email))
    user = session.scalar(select(User).where(User.email == email).with_for_update())
    whose = (expert.id if expert else -1, user.id if user else -1)
    deleted, emptied = _delete_rows(session, *whose), _empty_texts(session, email, *whose)
    if expert is not None:
        _forget_name(session, expert.name, name_of(alias))
        expert.name, expert.removed_at = name_of(alias), expert.removed_at or now()
    if user is not None:
        user.password_hash, user.no_mail, user.disabled_at = GONE, [], user.disabled_at or now()
    session.flush()
    images = _images(session, email)
    replaced = _put_alias(session, email, alias, {name for row in images for name in row} - {email})
    return Erasure(deleted, emptied, replaced, len(images))


def texts_of(email: str, alias: str) -> dict[str, str]:
    """The ways in which texts write an address, each with what takes its place: plain, and within a URL."""
    return {email: alias, quote(email, safe=""): quote(alias, safe="")}


def pattern(text: str) -> re.Pattern[str]:
    """Finds ``text`` where it is a whole address and no part of a longer one."""
    return re.compile(BEFORE + re.escape(text) + AFTER, re.IGNORECASE)


def _delete_rows(session: Session, expert: int, user: int) -> int:
    theirs = or_(Notice.expert_id == expert, Notice.user_id == user)
    read = or_(NoticeRead.user_id == user, NoticeRead.notice_id.in_(select(Notice.id).where(theirs)))
    deletions = (
        delete(ConsoleSession).where(ConsoleSession.user_id == user),
        delete(SignInLink).where(SignInLink.user_id == user),
        delete(NoticeRead).where(read),
        delete(Notice).where(theirs),
    )
    return sum(session.execute(one).rowcount for one in deletions)  # type: ignore[attr-defined]


def _empty_texts(session: Session, email: str, expert: int, user: int) -> int:
    changes = (
        update(Comment).where(Comment.user_id == user, Comment.text != WROTE).values(text=WROTE),
        update(ScopeDecision)
        .where(or_(ScopeDecision.who == email, ScopeDecision.expert_id == expert), ScopeDecision.note != "")
        .values(note=""),
        update(Pick).where(Pick.who == email, Pick.why != "").values(why=""),
    )
    return sum(session.execute(one).rowcount for one in changes)  # type: ignore[attr-defined]


def _forget_name(session: Session, name: str, after: str) -> None:
    """Take the name out of others' notices. Only there: elsewhere texts are people's own, and a name is a word."""
    whole = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for notice in session.scalars(select(Notice).where(or_(Notice.title.contains(name), Notice.text.contains(name)))):
        notice.title, notice.text = whole.sub(after, notice.title)[:255], whole.sub(after, notice.text)


def _images(session: Session, email: str) -> list[tuple[str, ...]]:
    """Id, title and location of each image that holds the address in one of them."""
    names = (Asset.asset_id, Asset.title_id, Asset.uri)
    found = [tuple(row) for row in session.execute(select(*names).where(or_(*_holding(names, _needles(email)))))]
    ways = [pattern(one) for one in texts_of(email, "")]
    return [row for row in found if any(way.search(name) for way in ways for name in row)]


def _needles(email: str) -> set[str]:
    return {one.casefold() for one in texts_of(email, "")} | {json.dumps(email)[1:-1].casefold()}


def _put_alias(session: Session, email: str, alias: str, named: Set[str]) -> int:
    """Put ``alias`` everywhere but where a text, or a part of a JSON, is one of the names ``named`` of images."""
    ways = [(pattern(before), after) for before, after in texts_of(email, alias).items()]
    needles = _needles(email)

    def change(value: Any) -> Any:
        if isinstance(value, str):
            if value in named:
                return value
            for before, after in ways:
                value = before.sub(after, value)
            return value
        if isinstance(value, Mapping):
            return {change(key): change(one) for key, one in value.items()}
        return [change(one) for one in value] if isinstance(value, list) else value

    return sum(_in_table(session, table, needles, change) for table in Base.metadata.sorted_tables)


def _in_table(session: Session, table: Table, needles: set[str], change: Any) -> int:
    columns = [one for one in table.columns if isinstance(one.type, String | JSON) and not _is_fixed(table, one)]
    if not columns:
        return 0
    keys = list(table.primary_key.columns)
    rows = session.execute(select(*keys, *columns).where(or_(*_holding(columns, needles)))).all()
    changed = 0
    for row in rows:
        before = row[len(keys) :]
        after = [_fitting(column, change(value)) for column, value in zip(columns, before, strict=True)]
        new = {column.name: now for column, was, now in zip(columns, before, after, strict=True) if was != now}
        if new:
            mine = (key == value for key, value in zip(keys, row, strict=False))
            session.execute(update(table).where(*mine).values(new))
            changed += 1
    return changed


def _is_fixed(table: Table, column: ColumnElement[Any]) -> bool:
    return (table.name, column.key) in FIXED


def _holding(columns: Iterable[Any], needles: set[str]) -> Iterator[ColumnElement[bool]]:
    for column in columns:
        for needle in needles:
            yield func.lower(cast(column, Text)).contains(needle, autoescape=True)


def _fitting(column: Any, value: Any) -> Any:
    longest = getattr(column.type, "length", None)
    return value[:longest] if longest and isinstance(value, str) else value
