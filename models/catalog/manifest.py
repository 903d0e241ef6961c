"""``manifest.json``: what a version of a probe is, and the digest of each of its files. Standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Protocol

from attune.models.clock import iso, parse
from attune.models.errors import BadProbeFile, UnknownProbe
from attune.models.files.atomic import digest_bytes, digest_json
from attune.models.reasons import reason

FILE_NAME = "manifest.json"
FORMAT_VERSION = 1
CHAMPION = "champion"
PROBES, SPACES = "probes", "spaces"  # folders of the catalog, and of the addresses of the API
SPACE_PREFIX = "space:"  # before the name of a learned space, where one may also name a probe
LEANS_ON = "leans_on"  # key of ``labels``: the published probes that the fit leaned on, as NAME@VERSION
# Key of ``labels``: what an answer of each expert weighed in the fit, lowest first; absent where all weighed the same.
EXPERT_WEIGHTS = "expert_weights"
FILES = ("probe.safetensors", "card.md", "probe.onnx")  # what a version holds beside its manifest
# A later format may hold further files; no name that matches leads out of a folder.
FILE = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9]+)+")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,39}")
VERSION = re.compile(r"[1-9][0-9]{0,8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileEntry:
    """The digest and the size in bytes of one file of a version."""

    sha256: str
    bytes: int


class Stated(Protocol):
    """What the catalog and a pull need to know of any version: a probe's or a space's."""

    @property
    def attribute(self) -> str:
        """The name."""

    @property
    def version(self) -> int:
        """The number."""

    @property
    def files(self) -> Mapping[str, FileEntry]:
        """The files beside the manifest."""

    def to_bytes(self) -> bytes:
        """The bytes of ``manifest.json``."""


@dataclass(frozen=True)
class Manifest:
    """A version of a probe as its ``manifest.json`` states it; the fields are the file's keys.

    ``encoder`` is the whole fingerprint, ``thresholds`` a probability per class, ``metrics`` figures by
    name, each with ``value``, ``lo``, ``hi`` and ``n``; ``labels`` counts, experts and agreement; ``draft``: it was
    published on purpose although a class had no answer.
    """

    attribute: str
    revision: int
    question: str
    definition: str
    classes: tuple[str, ...]
    version: int
    encoder: Mapping[str, Any]
    thresholds: Mapping[str, float]
    metrics: Mapping[str, Mapping[str, Any]]
    labels: Mapping[str, Any]
    data_digest: str
    files: Mapping[str, FileEntry]
    created_at: datetime
    code_version: str
    format_version: int = FORMAT_VERSION
    draft: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of ``manifest.json``."""
        content = {item.name: getattr(self, item.name) for item in fields(self)}
        if not self.draft:
            del content["draft"]  # so that versions from before there were drafts keep their bytes
        content |= {
            "classes": list(self.classes),
            "files": {name: asdict(entry) for name, entry in self.files.items()},
            "created_at": iso(self.created_at),
        }
        return content

    def to_bytes(self) -> bytes:
        """The bytes of ``manifest.json``: the same facts give the same bytes."""
        return (json.dumps(self.to_dict(), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()

    @property
    def digest(self) -> str:
        """The sha256 of ``manifest.json``, which through ``files`` stands for the whole version."""
        return digest_bytes(self.to_bytes())

    @property
    def encoder_digest(self) -> str:
        """The digest of the encoder's fingerprint, as stores of vectors and feature values carry it."""
        return digest_json(dict(self.encoder))


@dataclass(frozen=True)
class Reference:
    """NAME@VERSION or NAME@ALIAS; ``ref`` is a version's digits or an alias, ``room`` probes or spaces."""

    name: str
    ref: str
    room: str = PROBES

    @property
    def version(self) -> int | None:
        """The version where the reference names one, None for an alias."""
        return int(self.ref) if VERSION.fullmatch(self.ref) else None

    def __str__(self) -> str:
        return f"{self.full_name}@{self.ref}"

    @property
    def full_name(self) -> str:
        """The name as people write it: a space's begins with ``space:``."""
        return self.name if self.room == PROBES else f"{SPACE_PREFIX}{self.name}"


def parse_reference(text: str) -> Reference:
    """Read ``NAME``, ``NAME@ALIAS`` or ``NAME@VERSION``; a bare name means its champion, and ``space:NAME`` a space.

    Raises UnknownProbe.
    """
    name, _, ref = text.partition("@")
    room = SPACES if name.startswith(SPACE_PREFIX) else PROBES
    name = name.removeprefix(SPACE_PREFIX)
    if not text.endswith("@"):
        ref = ref or CHAMPION
    if ref == "latest":
        raise UnknownProbe(
            f"{text[:60]!r} is not published. Use an alias or a version number, such as {name[:60]}@{CHAMPION}. "
            f"To publish the newest run: `attune probes promote {name[:60]} latest --reason R`"
        )
    return Reference(check_name(name), check_ref(ref), room)


def check_name(name: str) -> str:
    """``name`` where it can be an attribute's. Raises UnknownProbe: it becomes part of paths and addresses."""
    if not NAME.fullmatch(name):
        raise UnknownProbe(
            f"{name[:60]!r} is not a name of an attribute. A name has 1 to 40 of the characters a-z, 0-9, - and "
            "_. To list all names: `attune probes list`"
        )
    return name


def check_ref(ref: str) -> str:
    """``ref`` where it can be a version or an alias. Raises UnknownProbe."""
    if not (VERSION.fullmatch(ref) or ALIAS.fullmatch(ref)):
        raise UnknownProbe(
            f"{ref[:60]!r} is not a version number (1 or more) and not an alias such as champion. To list both: "
            "`attune probes list NAME`"
        )
    return ref


def check_file(file: str) -> str:
    """``file`` where a version can hold it. Raises UnknownProbe."""
    if not FILE.fullmatch(file) or len(file) > 60:
        raise UnknownProbe(
            f"{file[:60]!r} is not a file of a version. Expected one of {', '.join((*FILES, FILE_NAME))}."
        )
    return file


def read_manifest(content: bytes, name: str = FILE_NAME) -> Manifest:
    """The manifest that ``content`` holds; keys it does not know are left out. ``name`` is for the error.

    Raises BadProbeFile where it is no JSON object, was made by a newer format, lacks a key or holds a wrong one.
    """
    try:
        return from_dict(json.loads(content))
    except BadProbeFile as error:
        raise BadProbeFile(f"{name}: {error}") from error
    except (UnknownProbe, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadProbeFile(
            f"{name} is not a probe's manifest{_where(error)}. Pull it again, or publish the probe again. "
            "docs/reference/probe-format.md describes the file."
        ) from error


def _where(error: Exception) -> str:
    """What of the manifest is at fault, as far as the error knows."""
    if isinstance(error, KeyError):
        return f": {error.args[0]!r} is missing"
    if isinstance(error, UnknownProbe):
        return f": {str(error).rstrip('.')}"
    return f": {reason(error)}" if isinstance(error, UnicodeDecodeError | json.JSONDecodeError) else ""


def from_dict(content: Mapping[str, Any]) -> Manifest:
    """The manifest of a JSON object. Raises BadProbeFile, KeyError, TypeError or ValueError."""
    if (version := int(content["format_version"])) > FORMAT_VERSION:
        raise BadProbeFile(
            f"format_version is {version}, but this Attune reads at most {FORMAT_VERSION}. Install a newer Attune."
        )
    values = {item.name: content[item.name] for item in fields(Manifest) if item.name != "draft"}
    values |= {
        "draft": content.get("draft") is True,
        "attribute": check_name(content["attribute"]),
        "classes": tuple(str(name) for name in content["classes"]),
        "version": int(content["version"]),
        "files": {file_name(name): file_entry(entry) for name, entry in content["files"].items()},
        "created_at": parse(content["created_at"]),
    }
    if len(values["classes"]) < 2 or "dimension" not in values["encoder"]:
        raise BadProbeFile("it must have 2 or more classes, and an encoder with a dimension.")
    return Manifest(**values)


def file_name(name: str) -> str:
    """``name`` where a version can list a file of that name. Raises BadProbeFile."""
    if not FILE.fullmatch(name) or name == FILE_NAME:
        raise BadProbeFile(f"it lists the file {name[:60]!r}. Expected names such as {', '.join(FILES)}.")
    return name


def file_entry(entry: Mapping[str, Any]) -> FileEntry:
    """What a manifest says of a file. Raises BadProbeFile, KeyError, TypeError or ValueError."""
    read = FileEntry(str(entry["sha256"]), int(entry["bytes"]))
    if not _SHA256.fullmatch(read.sha256) or read.bytes < 0:
        raise BadProbeFile(
            f"it describes a file as {dict(entry)}. Expected a sha256 of 64 hexadecimal digits, and a size in bytes."
        )
    return read
