"""An image that somebody wants in the pool, before anybody has looked at it, and the asset_id it may get."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from attune.labeler.assets import image_uris
from attune.models.errors import UnreadableItem
from attune.models.files import cell_ids
from attune.models.images.decode import IMAGE_SUFFIXES

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
        return image_uris.file_name(self.uri)


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
            f"{shown} is a name that is not UTF-8 text. Rename the file, or give it an asset_id in an asset table.",
            "bad name",
        ) from error
    # macOS writes é as two characters, most others as one: to a person, and to a manifest, they are the same name.
    tidy = cell_ids.tidy(text)
    if not tidy or len(tidy) > MAX_ID or any(unicodedata.category(sign).startswith("C") for sign in tidy):
        raise UnreadableItem(
            f"{text[:80]!r} is not a valid {what}. It must have 1 to {MAX_ID} visible characters.", "bad name"
        )
    return tidy


def from_files(
    found: Sequence[Found], known: Mapping[str, str]
) -> tuple[list[Candidate], list[tuple[str, UnreadableItem]]]:
    """Candidates for files without a manifest, and those whose names cannot be ids.

    The asset_id is the file's name; files of one name in several folders get their path below PATH instead, and where
    that is shared, too, PATH's own name before it, all of them: the order in which folders are read does not matter.
    ``known`` maps uris that are in the pool to their ids: a file keeps the id it once got.
    """
    made, refused = [], []
    for file, choices in zip(found, id_choices(found, known), strict=True):
        if isinstance(choices, UnreadableItem):
            refused.append((file.relative, choices))
        else:
            made.append(Candidate(file.uri, choices))
    return made, refused


def id_choices(found: Sequence[Found], known: Mapping[str, str]) -> list[tuple[str, ...] | UnreadableItem]:
    """The asset_ids that each file may get, in order, as `from_files` says; an error where its name cannot be one."""
    second = _seconds(found, known)
    names = {file.uri: _names(file) for file in found if file.uri not in second}
    levels = dict(zip(names, _levels(list(names.values())), strict=True))
    made: list[tuple[str, ...] | UnreadableItem] = []
    for file in found:
        try:
            if file.uri in second:
                raise second[file.uri]
            level = levels[file.uri]
            mine = names[file.uri][level : max(level + 1, USUAL_NAMES)]
            made.append(_checked([known[file.uri]] if file.uri in known else mine))
        except UnreadableItem as error:
            made.append(error)
    return made


def _seconds(found: Sequence[Found], known: Mapping[str, str]) -> dict[str, UnreadableItem]:
    """The files whose whole path is another one's to a person: no name, however long, would tell the two apart.

    Of such files one that has an id keeps it; where none has, the first by its path gets one.
    """
    first: dict[str, str] = {}
    made: dict[str, UnreadableItem] = {}
    for uri in sorted({file.uri for file in found}, key=lambda uri: (uri not in known, uri)):
        other = first.setdefault(cell_ids.tidy(uri), uri)
        if other == uri or uri in known:
            continue
        forms = unicodedata.normalize("NFC", uri) == unicodedata.normalize("NFC", other)
        what = "its Unicode form" if forms else "white space at its end"
        made[uri] = UnreadableItem(
            f"{uri} was skipped: its name differs from another image's only in {what}. Rename one of the two.",
            "same name",
        )
    return made


def _names(file: Found) -> list[str]:
    """What a file may be called, shortest first: its name, its path below PATH, and with more and more before it."""
    made = [image_uris.file_name(file.relative), file.relative, f"{file.root}/{file.relative}"]
    parts = image_uris.path_of(file.uri).strip("/").split("/")
    return made + ["/".join(parts[-count:]) for count in range(made[-1].count("/") + 2, len(parts) + 1)]


def _levels(names: Sequence[Sequence[str]]) -> list[int]:
    """Which of its names each file gets: the first that no other file gets."""
    names = [[cell_ids.tidy(name) for name in mine] for mine in names]
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
    """Finds the row of a vector file for an image: by asset_id, by file name, or by either without its suffix.

    ``images`` are (asset_id, file name) of all that an id of the file could mean: the whole pool, and the images of
    this command. An id that is some image's asset_id is that image's alone; one that is a file name no other image
    gets by its stem; and one that several images share decides nothing. An id 7.0 that means no image by these rules
    means the image 7: so pandas writes a column of whole numbers in which one cell is empty.
    """

    def __init__(self, file_ids: Iterable[str], images: Iterable[tuple[str, str]]) -> None:
        self._rows = {id_: row for row, id_ in enumerate(file_ids)}
        self._numbers: dict[str, list[str]] = {}
        for id_ in self._rows:
            if digits := cell_ids.whole(id_):
                self._numbers.setdefault(digits, []).append(id_)
        self._owned: set[str] = set()
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        for asset_id, name in images:
            if asset_id in self._rows:
                self._owned.add(asset_id)
            if (tidy := cell_ids.tidy(name)) in self._rows:
                self._by_name.setdefault(tidy, []).append(asset_id)
            for stem in _stems(asset_id, name):
                if stem in self._rows:
                    self._by_stem.setdefault(stem, []).append(asset_id)

    def row(self, asset_id: str, name: str) -> int | None:
        """The row of the image's vector, or None."""
        sure = [key for key, images in self._claims(asset_id, name) if len(images) == 1]
        return self._rows[sure[0]] if sure else None

    def unclear(self, asset_id: str, name: str) -> tuple[str, list[str]] | None:
        """For an image without a row: an id that it shares with other images, and all of those; None without one."""
        return next(((key, images) for key, images in self._claims(asset_id, name) if len(images) > 1), None)

    def _claims(self, asset_id: str, name: str) -> Iterator[tuple[str, list[str]]]:
        """Ids of the file that may mean this image, the likeliest first, and all images that each may mean."""
        if asset_id in self._rows:
            yield asset_id, [asset_id]
        tidy = cell_ids.tidy(name)
        if tidy not in self._owned and tidy in self._by_name:
            yield tidy, self._by_name[tidy]
        for stem in _stems(asset_id, name):
            if stem in self._by_stem and stem not in self._owned and stem not in self._by_name:
                yield stem, self._by_stem[stem]
        for id_ in self._numbers.get(asset_id, []):
            if id_ not in self._owned and id_ not in self._by_name and id_ not in self._by_stem:
                yield id_, [asset_id]


def _stems(asset_id: str, name: str) -> list[str]:
    """The file's name without its suffix, and the asset_id without one that images have."""
    path = PurePosixPath(asset_id)
    stems = [PurePosixPath(cell_ids.tidy(name)).stem]
    return list(dict.fromkeys(stems + ([str(path.with_suffix(""))] if path.suffix.lower() in IMAGE_SUFFIXES else [])))
