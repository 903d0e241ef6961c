"""From the PATHs of a command to the files that may be images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from attune.labeler.assets import image_sources, image_uris
from attune.labeler.assets.proposed import ScannedFile
from attune.labeler.assets.reach import Reach
from attune.models.errors import UnreadableItem
from attune.models.images.decode import IMAGE_SUFFIXES, looks_like_image
from attune.models.reasons import reason


@dataclass
class Scan:
    """The files found; ``passed_over`` counts files of folders that are no images and do not claim to be.

    ``notes`` says of what was not opened because it is no file what it is, and its name.
    """

    files: list[ScannedFile] = field(default_factory=list)
    passed_over: int = 0
    notes: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, UnreadableItem]] = field(default_factory=list)

    def refuse(self, path: str, message: str, reason: str) -> None:
        """Count a PATH, or a folder below one, that gave nothing."""
        self.refused.append((path, UnreadableItem(message, reason)))


def scan(paths: Sequence[str], reach: Reach = image_sources.USUAL) -> Scan:
    """Look through folders and their folders, and take files as they are named; a file met twice counts once.

    A PATH outside ``reach`` is refused by itself; the others continue.
    """
    result = Scan()
    met_paths = _SeenPaths()
    for path in paths:
        try:
            _scan_path(path, result, met_paths, reach)
        except UnreadableItem as error:
            result.refused.append((path, error))
        except (OSError, ValueError) as error:
            result.refuse(path, f"{path} cannot be opened: {reason(error)}. Check its spelling.", "cannot be read")
    return result


def _scan_path(path: str, result: Scan, met_paths: _SeenPaths, reach: Reach) -> None:
    place = image_uris.absolute(path)
    if image_sources.is_folder(place, reach):
        _scan_folder(place, result, met_paths, reach)
    elif image_sources.exists(place, reach):
        if met_paths.first_time(place):
            result.files.append(
                ScannedFile(place, image_uris.file_name(place), image_uris.file_name(os.path.dirname(place)))
            )
    elif what := image_sources.kind(place):
        result.refuse(path, f"{path} is {what}, not a file. Name image files, or folders that contain them.", what)
    else:
        result.refuse(path, f"{path} does not exist. Check the spelling, and that its disk is mounted.", "missing")


def _scan_folder(folder: str, result: Scan, met_paths: _SeenPaths, reach: Reach) -> None:
    def closed(path: str, error: OSError) -> None:
        if isinstance(error, FileNotFoundError):
            result.refuse(path, f"The folder {path} was removed while Attune read it.", "missing")
        else:
            result.refuse(
                path,
                f"The folder {path} was skipped: {reason(error)}. Change its permissions, then run the command again.",
                "folder cannot be read",
            )

    root = image_uris.file_name(folder.rstrip("/"))
    for uri, relative in image_sources.walk(folder, closed, reach):
        if not met_paths.first_time(uri):
            continue
        if what := image_sources.kind(uri):
            result.notes.append((f"{what}, passed over", relative))
        elif _may_be_image(uri):
            result.files.append(ScannedFile(uri, relative, root))
        else:
            result.passed_over += 1


class _SeenPaths:
    """The files met so far: one that two paths lead to, through ``..`` or a link to its folder, is one file.

    A link to a file is a name that someone gave it, and counts as a file of its own.
    """

    def __init__(self) -> None:
        self._met: set[str] = set()
        self._folders: dict[str, str] = {}

    def first_time(self, uri: str) -> bool:
        """Whether this file was not met before; it is now."""
        if not image_uris.is_address(uri):
            folder, name = os.path.split(uri)
            if folder not in self._folders:
                self._folders[folder] = os.path.realpath(image_uris.local_path(folder))
            uri = os.path.join(self._folders[folder], name)
        if uri in self._met:
            return False
        self._met.add(uri)
        return True


def _may_be_image(uri: str) -> bool:
    """By its suffix; a local file of another suffix by its first bytes, for which a network would be too slow."""
    if PurePosixPath(uri).suffix.lower() in IMAGE_SUFFIXES:
        return True
    return not image_uris.is_address(uri) and looks_like_image(image_sources.head(uri))
