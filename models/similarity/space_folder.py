"""A learned space as a folder: ``space.safetensors`` and a ``manifest.json`` that says what it was learned from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from attune.models.errors import DataError, DigestMismatch
from attune.models.files.atomic import digest_bytes, write_bytes, write_json
from attune.models.reasons import reason
from attune.models.similarity.space_files import FILE_NAME, MANIFEST_NAME, LearnedSpace, read_space, space_bytes


@dataclass(frozen=True)
class SpaceFacts:
    """What a manifest says of a space, all of it JSON.

    ``encoder`` the fingerprint that its vectors need; ``column`` and ``labels`` what it was taught, ``rows`` by how
    many images; ``settings`` and ``tried`` of ``Tuned.facts``; ``measures`` by figure, of titles that it did not learn
    from; ``left_out`` P@10 for hidden labels less that of the raw space; ``intrinsic_dimension`` where it was measured.
    """

    encoder: Mapping[str, Any]
    column: str
    labels: tuple[str, ...]
    rows: int
    seed: int
    settings: Mapping[str, Any]
    tried: tuple[Mapping[str, Any], ...] = ()
    measures: Mapping[str, Any] | None = None
    left_out: float | None = None
    intrinsic_dimension: float | None = None


def write_folder(folder: Path, space: LearnedSpace, facts: SpaceFacts) -> None:
    """Write both files, the manifest last, so that a folder with one is whole."""
    content = space_bytes(space)
    files = {FILE_NAME: {"sha256": digest_bytes(content), "bytes": len(content)}}
    write_bytes(folder / FILE_NAME, content)
    write_json(folder / MANIFEST_NAME, {"format": "attune-space-1", "files": files} | asdict(facts))


def read_folder(folder: Path) -> tuple[LearnedSpace, SpaceFacts]:
    """What ``write_folder`` wrote. Raises DataError for a folder without it, DigestMismatch for other bytes."""
    try:
        manifest = json.loads((folder / MANIFEST_NAME).read_bytes())
        content = (folder / FILE_NAME).read_bytes()
        stated = manifest.pop("files")[FILE_NAME]["sha256"]
        facts = SpaceFacts(**{name: value for name, value in manifest.items() if name != "format"})
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder} has no space that can be read: {reason(error)}. Expected {FILE_NAME} and {MANIFEST_NAME}. "
            "Pull the space again."
        ) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(f"{folder / MANIFEST_NAME} is not the manifest of a space. Pull the space again.") from error
    if digest_bytes(content) != stated:
        raise DigestMismatch(
            f"{folder / FILE_NAME} has the digest {digest_bytes(content)}, but its manifest states {stated}. Pull the "
            "space again."
        )
    lists = {"labels": tuple(facts.labels), "tried": tuple(facts.tried)}
    return read_space(content, str(folder / FILE_NAME)), SpaceFacts(**(vars(facts) | lists))
