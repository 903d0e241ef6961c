"""From the PATHs of a command to the files that may be images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from labeler.assets import sources
from labeler.assets.candidates import Found
from models.errors import UnreadableItem
from models.images import IMAGE_SUFFIXES, looks_like_image


@dataclass
class Scan:
    """The files found; ``passed_over`` counts files of folders that are no images and do not claim to be."""

    files: list[Found] = field(default_factory=list)
    passed_over: int = 0
    refused: list[tuple[str, UnreadableItem]] = field(default_factory=list)


def scan(paths: Sequence[str]) -> Scan:
    """Look through folders and their folders, and take files as they are named; a file met twice counts once."""
    made = Scan()
    met: set[str] = set()
    for path in paths:
        place = sources.absolute(path)
        if sources.is_folder(place):
            _scan_folder(place, made, met)
        elif sources.exists(place):
            if place not in met:
                made.files.append(Found(place, sources.file_name(place), sources.file_name(os.path.dirname(place))))
            met.add(place)
        else:
            made.refused.append(
                (
                    path,
                    UnreadableItem(
                        f"There is nothing at {path}. Check the spelling, and that it is mounted.", "missing"
                    ),
                )
            )
    return made


def _scan_folder(folder: str, made: Scan, met: set[str]) -> None:
    root = sources.file_name(folder.rstrip("/"))
    for uri, relative in sources.walk(folder):
        if uri in met:
            continue
        met.add(uri)
        if _may_be_image(uri):
            made.files.append(Found(uri, relative, root))
        else:
            made.passed_over += 1


def _may_be_image(uri: str) -> bool:
    """By its suffix; a local file of another suffix by its first bytes, for which a network would be too slow."""
    if PurePosixPath(uri).suffix.lower() in IMAGE_SUFFIXES:
        return True
    return not sources.is_address(uri) and looks_like_image(sources.head(uri))
