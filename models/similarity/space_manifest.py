"""``manifest.json`` of a learned space: what it was learned from and how good it is. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from attune.models.catalog.manifest import FileEntry, check_name, file_entry, file_name
from attune.models.errors import BadProbeFile
from attune.models.files.atomic import digest_bytes

FORMAT = "attune-space-1"


@dataclass(frozen=True)
class SpaceFacts:
    """What a manifest says of a space, all of it JSON.

    ``encoder`` the fingerprint that its vectors need; ``column`` and ``labels`` what it was taught, ``rows`` by how
    many images; ``settings`` and ``tried`` of ``Tuned.facts``; ``measures`` of titles that it did not learn from: by
    method (space, raw, ridge, logistic) and figure, with the penalties of the ``plain`` ones; ``left_out`` P@10 for
    hidden labels less that of the raw space; ``intrinsic_dimension`` where it was measured. ``network`` says of a
    version whose image tower was trained which one and how (then ``encoder`` is that of the tower's own vectors); None
    of the others. ``name``, ``version`` and the rest are empty before it is registered.
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
    name: str = ""
    version: int = 0
    data_digest: str = ""
    created_at: str = ""
    code_version: str = ""
    network: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the facts; without ``network`` where there is none, as versions of before had it."""
        return {name: value for name, value in asdict(self).items() if name != "network" or value is not None}


@dataclass(frozen=True)
class SpaceManifest:
    """A registered version: its facts, and the digest of each file beside its manifest."""

    facts: SpaceFacts
    files: Mapping[str, FileEntry]

    @property
    def attribute(self) -> str:
        """The space's name, in the place where a probe's manifest has its attribute's."""
        return self.facts.name

    @property
    def version(self) -> int:
        """The number of the version."""
        return self.facts.version

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of ``manifest.json``."""
        files = {name: asdict(entry) for name, entry in self.files.items()}
        return {"format": FORMAT, "files": files} | self.facts.to_dict()

    def to_bytes(self) -> bytes:
        """The bytes of ``manifest.json``: the same facts give the same bytes."""
        return (json.dumps(self.to_dict(), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()

    @property
    def digest(self) -> str:
        """The sha256 of ``manifest.json``."""
        return digest_bytes(self.to_bytes())


def facts_of(content: Mapping[str, Any]) -> SpaceFacts:
    """The facts in a manifest's JSON object; keys that are not known are left out. Raises KeyError, TypeError."""
    known = {one.name for one in fields(SpaceFacts)}
    facts = {name: value for name, value in content.items() if name in known}
    return SpaceFacts(**facts | {name: tuple(facts[name]) for name in ("labels", "tried")})


def from_dict(content: Mapping[str, Any]) -> SpaceManifest:
    """The manifest of a JSON object. Raises BadProbeFile, UnknownProbe, KeyError, TypeError or ValueError."""
    if content["format"] != FORMAT:
        raise BadProbeFile(f"format is {content['format']!r}, but this Attune reads {FORMAT}. Install a newer Attune.")
    facts = facts_of(content)
    check_name(facts.name)
    files = {file_name(name): file_entry(entry) for name, entry in content["files"].items()}
    return SpaceManifest(facts, files)


def read_space_manifest(content: bytes, name: str = "manifest.json") -> SpaceManifest:
    """The manifest that ``content`` holds. Raises BadProbeFile where it is none, or of a newer format."""
    try:
        return from_dict(json.loads(content))
    except BadProbeFile as error:
        raise BadProbeFile(f"{name}: {error}") from error
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadProbeFile(f"{name} is not the manifest of a space. Pull the space again.") from error
