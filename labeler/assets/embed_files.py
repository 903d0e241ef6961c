"""Vectors of image files that are not in the pool, into a file of their own; the ids are those of `assets add`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attune.labeler.assets.proposed import Candidate, from_files
from attune.labeler.assets.reach import Reach
from attune.labeler.assets.scan import scan
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnreadableItem

if TYPE_CHECKING:
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
    from attune.labeler.assets.engine_batches import encoded_in_batches
    from attune.models.engines.embedding import Place
    from attune.models.vectors.vector_writer import check_suffix, vector_file

    check_suffix(to)
    written = Written()
    candidates = _candidates(settings, paths, written)
    places = [Place(id_, candidate.uri) for id_, candidate in candidates.items()]
    with vector_file(to, encoder.fingerprint) as writer:
        for batch in encoded_in_batches(settings, encoder, places):
            writer.add(batch.ids, batch.vectors)
            written.left_out += batch.left_out
            report(batch.done, len(places))
        written.embedded = writer.rows
        if not written.embedded:
            raise DataError(
                f"There are no images to embed at {', '.join(paths)}. {_first(written)}Nothing was written."
            )
    return written


def _candidates(settings: Settings, paths: Sequence[str], written: Written) -> dict[str, Candidate]:
    """The files at ``paths`` by the id that each gets: the first of its choices that no other has."""
    scanned = scan(paths, Reach.of(settings))
    written.passed_over = scanned.passed_over
    candidates, unnamed = from_files(scanned.files, {})
    for item, error in [*scanned.refused, *unnamed]:
        written.refuse(item, error)
    by_id: dict[str, Candidate] = {}
    for candidate in candidates:
        free = next((id_ for id_ in candidate.ids if id_ not in by_id), None)
        if free is None:
            other = by_id[candidate.ids[-1]].uri
            written.refuse(
                candidate.uri,
                UnreadableItem(
                    f"{candidate.uri} would get the id {candidate.ids[-1]!r}, but {other} already has it. "
                    "Rename the file, or embed the two with separate commands.",
                    "id taken",
                ),
            )
        else:
            by_id[free] = candidate
    return by_id


def _first(written: Written) -> str:
    return f"{written.left_out[0]['message']} " if written.left_out else ""


def as_json(written: Written, encoder: OpenClipEncoder, to: Path) -> dict[str, Any]:
    """What a command prints of it."""
    return vars(written) | {
        "to": str(to),
        "encoder": encoder.fingerprint.to_dict(),
        "digest": encoder.fingerprint.digest,
    }
