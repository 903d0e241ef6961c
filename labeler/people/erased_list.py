"""Who was erased, without saying who: the workspace's ``erased.json`` holds a salted scrypt hash of each address.

A backup from before an erasure still has the person. This file, kept outside of that backup, says of each address in it
whether it was erased since, and nothing to whoever has no address to try. A file and not a table: it must outlive the
records that a backup brings back.
"""

from __future__ import annotations

import hashlib
import json
import secrets as chance
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.errors import DataError
from attune.models.files.atomic import write_json

NAME = "erased.json"
# As werkzeug has it for passwords (OWASP's least cost of scrypt): some tens of milliseconds an address.
COST = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 2**20}


@dataclass(frozen=True)
class Erased:
    """One person: the ``hash`` of the address under ``salt`` (both hexadecimal), what stands in its place, and when.

    ``answers_left``: whether the answers still count.
    """

    salt: str
    hash: str
    alias: str
    at: str  # ISO 8601
    answers_left: bool


def read(path: Path) -> tuple[Erased, ...]:
    """The list at ``path``; empty where there is none. Raises DataError where the file is no such list."""
    if not path.is_file():
        return ()
    try:
        return tuple(Erased(**one) for one in json.loads(path.read_text())["erased"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is not a list of erased people. Expected the file {NAME} of a workspace. Restore it from a backup."
        ) from error


def of(settings: Settings) -> tuple[Erased, ...]:
    """The workspace's own list."""
    return read(settings.workspace / NAME)


def read_given(path: Path) -> tuple[Erased, ...]:
    """The list that a person names. Raises DataError where it is none, or names nobody."""
    erased = read(path)
    if not erased:
        raise DataError(f"{path} lists nobody who was erased. Expected the file {NAME} of a workspace.")
    return erased


def add(settings: Settings, email: str, alias: str, answers_left: bool) -> None:
    """Write one more down, unless the alias is there."""
    before = of(settings)
    salt = before[-1].salt if before else chance.token_hex(16)  # one for the list: each address is hashed once
    join(settings.workspace, [Erased(salt, _hash(email, salt), alias, iso(now()), answers_left)])


def join(workspace: Path, more: Iterable[Erased]) -> None:
    """Add what the list of ``workspace`` lacks; written in whole, mode 0600."""
    path = workspace / NAME
    with FileLock(path.with_suffix(".lock"), timeout=30):
        known = {one.alias: one for one in read(path)}
        together = known | {one.alias: one for one in more if one.alias not in known}
        if together != known:
            write_json(path, {"erased": [asdict(one) for one in together.values()]}, mode=0o600)


def find(people: Iterable[str], erased: Sequence[Erased]) -> dict[str, Erased]:
    """Those of ``people`` (addresses) who are in the list: address -> the newest entry."""
    by_hash = {(one.salt, one.hash): one for one in sorted(erased, key=lambda one: one.at)}
    salts = sorted({one.salt for one in erased})
    found = [(email, by_hash.get((salt, _hash(email, salt)))) for email in people for salt in salts]
    entries = [(email, one) for email, one in found if one is not None]
    return dict(sorted(entries, key=lambda pair: pair[1].at))


def _hash(email: str, salt: str) -> str:
    return hashlib.scrypt(email.casefold().encode(), salt=bytes.fromhex(salt), dklen=32, **COST).hex()
