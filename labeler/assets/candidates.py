"""An image that somebody wants in the pool, before anybody has looked at it, and the asset_id it may get."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from labeler.assets import sources
from models.errors import UnreadableItem

MAX_ID = 255
USUAL_NAMES = 3  # the names that a file may get where another image has the first one; longer ones only tell apart


@dataclass(frozen=True, eq=False)
class Candidate:
    """A uri, the asset_ids it may get in order of choice, and what a manifest says of it.

    Without a ``title_id`` each asset is a title of its own.
    """

    uri: str
    ids: tuple[str, ...]
    title_id: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    from_manifest: bool = False

    @property
    def name(self) -> str:
        """The file's name."""
        return sources.file_name(self.uri)


@dataclass(frozen=True)
class Found:
    """A file that a PATH led to; ``relative`` is its path below that PATH, ``root`` the PATH's own name."""

    uri: str
    relative: str
    root: str


def checked_id(text: str, what: str = "asset_id") -> str:
    """``text`` as an id: in one Unicode form, of 1 to 255 characters, none of them invisible. Raises UnreadableItem."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = text.encode("utf-8", "backslashreplace").decode()
        raise UnreadableItem(
            f"{shown} is a name that is no UTF-8 text. Rename the file, or give it an asset_id in a manifest.",
            "bad name",
        ) from error
    # macOS writes é as two characters, most others as one: to a person, and to a manifest, they are the same name.
    tidy = unicodedata.normalize("NFC", text).strip()
    if not tidy or len(tidy) > MAX_ID or any(unicodedata.category(sign).startswith("C") for sign in tidy):
        raise UnreadableItem(f"{text[:80]!r} is no {what}: it must have 1 to {MAX_ID} visible characters.", "bad name")
    return tidy


def from_files(
    found: Sequence[Found], known: Mapping[str, str]
) -> tuple[list[Candidate], list[tuple[str, UnreadableItem]]]:
    """Candidates for files without a manifest, and those whose names cannot be ids.

    The asset_id is the file's name; files of one name in several folders get their path below PATH instead, and where
    that is shared, too, PATH's own name before it, all of them: the order in which folders are read does not matter.
    ``known`` maps uris that are in the pool to their ids: a file keeps the id it once got.
    """
    names = [_names(file) for file in found]
    levels = _levels(names)
    made, refused = [], []
    for file, mine, level in zip(found, names, levels, strict=True):
        choices = [known[file.uri]] if file.uri in known else mine[level : max(level + 1, USUAL_NAMES)]
        try:
            made.append(Candidate(file.uri, _checked(choices)))
        except UnreadableItem as error:
            refused.append((file.relative, error))
    return made, refused


def _names(file: Found) -> list[str]:
    """What a file may be called, shortest first: its name, its path below PATH, and with more and more before it."""
    made = [sources.file_name(file.relative), file.relative, f"{file.root}/{file.relative}"]
    parts = sources.path_of(file.uri).strip("/").split("/")
    return made + ["/".join(parts[-count:]) for count in range(made[-1].count("/") + 2, len(parts) + 1)]


def _levels(names: Sequence[Sequence[str]]) -> list[int]:
    """Which of its names each file gets: the first that no other file gets."""
    levels = [0] * len(names)
    while True:
        counts = Counter(mine[level] for mine, level in zip(names, levels, strict=True))
        shared = [at for at, level in enumerate(levels) if counts[names[at][level]] > 1 and level + 1 < len(names[at])]
        if not shared:
            return levels
        for at in shared:
            levels[at] += 1


def _checked(choices: Sequence[str]) -> tuple[str, ...]:
    """The first choice, which must be an id, and of the further ones those that can be: a path may be too long."""
    first, *further = choices
    made = [checked_id(first)]
    for choice in further:
        with suppress(UnreadableItem):
            made.append(checked_id(choice))
    return tuple(dict.fromkeys(made))


class VectorNames:
    """Finds the row of a vector file for a candidate: by asset_id, by file name, or by that without its suffix."""

    def __init__(self, ids: Iterable[str], candidates: Sequence[Candidate]) -> None:
        self._rows = {unicodedata.normalize("NFC", id_).strip(): row for row, id_ in enumerate(ids)}
        self._names = Counter(unicodedata.normalize("NFC", candidate.name) for candidate in candidates)
        self._stems = Counter(_stem(candidate.name) for candidate in candidates)

    def row(self, candidate: Candidate) -> int | None:
        """The row of the candidate's vector, or None. A name that several candidates share decides nothing."""
        name = unicodedata.normalize("NFC", candidate.name)
        stem = _stem(candidate.name)
        alone = [key for key, shared in ((name, self._names[name]), (stem, self._stems[stem])) if shared == 1]
        return next((self._rows[key] for key in (*candidate.ids, *alone) if key in self._rows), None)


def _stem(name: str) -> str:
    return PurePosixPath(unicodedata.normalize("NFC", name)).stem
