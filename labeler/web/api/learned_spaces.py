"""Learned spaces, as the API serves them: the manifest of a version, and its files."""

from __future__ import annotations

from flask import Response

from attune.labeler.spaces import learned
from attune.labeler.web import auth
from attune.labeler.web.api.catalog import bytes_answer
from attune.labeler.web.api.described import HELD, OF_VERSION, PIECE, file_answer, json_answer
from attune.labeler.web.api.routes import get
from attune.labeler.web.api.schemas import schema
from attune.models.catalog.manifest import FILE_NAME, SPACES, FileEntry, Reference, check_name, check_ref
from attune.models.similarity.space_manifest import SpaceFacts

_MANIFEST = schema(SpaceFacts)
_MANIFEST["required"].remove("network")  # only a version whose network was trained names one
_MANIFEST["properties"] |= {
    "format": {"type": "string"},
    "files": {"type": "object", "additionalProperties": schema(FileEntry)},
}
_FILE = file_answer("The file.", "application/octet-stream", "text/markdown")
_FILE["content"] |= {"application/json": {"schema": {"type": "object"}}}  # manifest.json


@get(
    "/spaces/<space>/<ref>",
    "Read the manifest of a learned space",
    {200: json_answer("The manifest.", _MANIFEST, of_version=True)} | OF_VERSION,
    headers=(HELD,),
    about="SPACE is a learned space, such as taste.",
)
def space_manifest(space: str, ref: str) -> Response:
    """The manifest of the version that REF, a version or an alias, means."""
    reference = Reference(check_name(space), check_ref(ref), SPACES)
    return bytes_answer(reference, learned.manifest_content(auth.settings(), reference), FILE_NAME)


@get(
    "/spaces/<space>/<ref>/files/<file>",
    "Pull a file of a learned space",
    {200: _FILE} | OF_VERSION,
    headers=(HELD, PIECE),
    about="docs/explanation/similarity.md shows a reader of a few lines.",
)
def space_file(space: str, ref: str, file: str) -> Response:
    """One file of a version: space.safetensors, card.md or manifest.json, and tower.safetensors of a network."""
    reference = Reference(check_name(space), check_ref(ref), SPACES)
    return bytes_answer(reference, learned.file_content(auth.settings(), reference, file), file)
