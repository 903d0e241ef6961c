"""A learned space as a folder: ``space.safetensors`` and a ``manifest.json`` that says what it was learned from."""

from __future__ import annotations

import json
from pathlib import Path

from attune.models.errors import DataError, DigestMismatch
from attune.models.files.atomic import digest_bytes, write_bytes, write_json
from attune.models.reasons import reason
from attune.models.similarity.space_files import FILE_NAME, MANIFEST_NAME, LearnedSpace, read_space, space_bytes
from attune.models.similarity.space_manifest import FORMAT, SpaceFacts, facts_of


def write_folder(folder: Path, space: LearnedSpace, facts: SpaceFacts) -> None:
    """Write both files, the manifest last, so that a folder with one is whole."""
    content = space_bytes(space)
    files = {FILE_NAME: {"sha256": digest_bytes(content), "bytes": len(content)}}
    write_bytes(folder / FILE_NAME, content)
    write_json(folder / MANIFEST_NAME, {"format": FORMAT, "files": files} | facts.to_dict())


def read_folder(folder: Path) -> tuple[LearnedSpace, SpaceFacts]:
    """What ``write_folder`` wrote. Raises DataError for a folder without it, DigestMismatch for other bytes."""
    try:
        manifest = json.loads((folder / MANIFEST_NAME).read_bytes())
        content = (folder / FILE_NAME).read_bytes()
        stated = manifest.pop("files")[FILE_NAME]["sha256"]
        facts = facts_of(manifest)
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
    return read_space(content, str(folder / FILE_NAME)), facts
