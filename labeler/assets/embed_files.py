"""Vectors of image files that are not in the pool, into a file of their own; the ids are those of `assets add`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attune.labeler.assets import image_sources
from attune.labeler.assets.proposed import Candidate, from_files
from attune.labeler.assets.reach import Reach
from attune.labeler.assets.scan import scan
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnreadableItem

if TYPE_CHECKING:
    from PIL import Image

    from attune.models.encoders.encoders import OpenClipEncoder


@dataclass
class Written:
    """What came of it: ``embedded`` images, those ``left_out`` ({item, reason, message}), files ``passed_over``."""

    embedded: int = 0
    passed_over: int = 0
    left_out: list[dict[str, str]] = field(default_factory=list)

    def refuse(self, item: str, error: UnreadableItem) -> None:
        """Name what is left out, and why."""
        self.left_out.append({"item": item, "reason": error.reason, "message": str(error)})


def embed_files(
    settings: Settings, encoder: OpenClipEncoder, paths: Sequence[str], to: Path, report: Report = quiet
) -> Written:
    """Embed the images at ``paths`` (folders, files, addresses) into ``to``, Parquet or Arrow by its suffix.

    A bad image is left out and named. Raises DataError where not one image is left, or for another suffix; then ``to``
    is not touched.
    """
    from attune.models.encoders.embedding import Picture, embedded
    from attune.models.vectors.vector_writer import check_suffix, vector_file

    check_suffix(to)
    told = Written()
    candidates = _wanted(settings, paths, told)
    pictures = [Picture(id_, partial(_picture, settings, one.uri, id_)) for id_, one in candidates.items()]
    with vector_file(to, encoder.fingerprint) as writer:
        for batch in embedded(encoder, pictures, settings.embed_batch):
            writer.add(batch.ids, batch.vectors)
            told.left_out += batch.left_out
            report(batch.done, len(pictures))
        told.embedded = writer.rows
        if not told.embedded:
            raise DataError(f"There are no images to embed at {', '.join(paths)}. {_first(told)}Nothing was written.")
    return told


def _wanted(settings: Settings, paths: Sequence[str], told: Written) -> dict[str, Candidate]:
    """The files at ``paths`` by the id that each gets: the first of its choices that no other has."""
    found = scan(paths, Reach.of(settings))
    told.passed_over = found.passed_over
    candidates, unnamed = from_files(found.files, {})
    for item, error in [*found.refused, *unnamed]:
        told.refuse(item, error)
    wanted: dict[str, Candidate] = {}
    for candidate in candidates:
        free = next((id_ for id_ in candidate.ids if id_ not in wanted), None)
        if free is None:
            other = wanted[candidate.ids[-1]].uri
            told.refuse(
                candidate.uri,
                UnreadableItem(
                    f"{candidate.uri} would get the id {candidate.ids[-1]!r}, but {other} already has it. "
                    "Rename the file, or embed the two with separate commands.",
                    "id taken",
                ),
            )
        else:
            wanted[free] = candidate
    return wanted


def _picture(settings: Settings, uri: str, name: str) -> Image.Image:
    from attune.models.images.decode import decode

    return decode(image_sources.read(uri, name, Reach.of(settings)), name, settings.max_pixels)


def _first(told: Written) -> str:
    return f"{told.left_out[0]['message']} " if told.left_out else ""


def as_json(told: Written, encoder: OpenClipEncoder, to: Path) -> dict[str, Any]:
    """What a command prints of it."""
    return vars(told) | {"to": str(to), "encoder": encoder.fingerprint.to_dict(), "digest": encoder.fingerprint.digest}
