"""One published version: what it is, its card, its files and how a pipeline gets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog.aliases import aliases_of, drafts_of
from attune.labeler.catalog.run_facts import find_version
from attune.labeler.records.schema import Attribute, Promotion
from attune.labeler.records.session import reading
from attune.labeler.records.version_scores import VersionScores
from attune.labeler.settings import Settings
from attune.labeler.views.history import Move, move
from attune.labeler.views.quality import Quality, read
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import from_dict
from attune.models.catalog.model_card import FILE_NAME as CARD
from attune.models.errors import AttuneError
from attune.models.labels.class_coverage import missing_sentences


@dataclass(frozen=True)
class File:
    """A file of the version: its sha256 and its size in bytes."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Command:
    """A way to pull the version, to be copied."""

    title: str
    text: str


@dataclass(frozen=True)
class VersionPage:
    """All that the page shows. ``card`` is Markdown without its front matter, ``front`` that; empty with a ``lost``
    reason where the files do not come back as they were published."""

    name: str
    question: str
    version: int
    aliases: Sequence[str]
    created_at: datetime
    retired_at: datetime | None
    digest: str
    quality: Quality
    facts: Sequence[tuple[str, str]]
    files: Sequence[File]
    card: str
    front: str
    lost: str
    commands: Sequence[Command]
    scored_at: datetime | None
    scored: int
    moves: Sequence[Move]
    draft: bool = False
    warnings: Sequence[str] = ()  # what a draft lacks


def version_page(settings: Settings, name: str, version: int) -> VersionPage:
    """The page of a published version. Raises UnknownAttribute, UnknownProbe where it is a candidate or nothing."""
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        row = find_version(session, attribute, version)
        aliases = sorted(alias for alias, number in aliases_of(session, attribute).items() if number == version)
        drafts = drafts_of(session, attribute.id)
        moves = [move(line, drafts) for line in _lines(session, attribute, version)]
    manifest: Mapping[str, Any] = row.manifest or {}
    front, card, lost = _card(settings, manifest)
    files = [File(file, entry["sha256"], int(entry["bytes"])) for file, entry in (manifest.get("files") or {}).items()]
    scored = VersionScores.from_dict(row.scores).assets
    return VersionPage(
        name=name,
        question=attribute.question,
        version=version,
        aliases=aliases,
        created_at=row.created_at,
        retired_at=row.retired_at,
        digest=row.digest,
        quality=read(manifest.get("metrics") or {}),
        facts=_facts(manifest),
        files=sorted(files, key=lambda file: file.name),
        card=card,
        front=front,
        lost=lost,
        commands=commands(settings, name, aliases[0] if aliases else str(version)),
        scored_at=row.scored_at,
        scored=sum(int(count) for count in scored.values()),
        moves=moves,
        draft=version in drafts,
        warnings=missing_sentences(manifest.get("classes") or (), manifest.get("labels") or {})
        if version in drafts
        else (),
    )


def _lines(session: Session, attribute: Attribute, version: int) -> Sequence[Promotion]:
    """The newest lines of the history that ``version`` is in."""
    about = (Promotion.version == version) | (Promotion.before == version)
    rows = select(Promotion).where(Promotion.attribute_id == attribute.id, about)
    return session.scalars(rows.order_by(Promotion.id.desc()).limit(20)).all()


def commands(settings: Settings, name: str, ref: str) -> list[Command]:
    """How a pipeline gets NAME at REF: by the command, from Python, by plain HTTP, and the scores alone."""
    address, curl = settings.web_address, 'curl -H "Authorization: Bearer $ATTUNE_TOKEN"'
    probe = f"{address}/api/v1/probes/{name}/{ref}"
    return [
        Command("With Attune", f"ATTUNE_TOKEN=TOKEN attune pull {name}@{ref} --to {name} --url {address}"),
        Command("With curl", f"{curl} -o manifest.json {probe} -O {probe}/files/probe.safetensors"),
        Command(
            "Feature values of the pool",
            f"{curl} -o {name}.parquet {address}/api/v1/features/{name}/{ref}",
        ),
    ]


def _card(settings: Settings, manifest_facts: Mapping[str, Any]) -> tuple[str, str, str]:
    """Front matter and body of the card, checked by digest; or why there is none."""
    try:
        manifest = from_dict(dict(manifest_facts))
        text = Catalog(settings.catalog_address).read(manifest, CARD).decode()
    except AttuneError as error:
        return "", "", str(error)
    _, front, body = text.split("---\n", 2) if text.startswith("---\n") else ("", "", text)
    return front, body.strip(), ""


def _facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The manifest's facts that no other part of the page shows, in words."""
    keys = ("revision", "classes", "thresholds", "data_digest", "code_version", "created_at", "format_version")
    found = [(key.replace("_", " "), _text(manifest[key])) for key in keys if key in manifest]
    encoder = manifest.get("encoder") or {}
    return found + [(f"encoder: {key}", _text(value)) for key, value in sorted(encoder.items())]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        if not value:
            return "none stated"
        return ", ".join(f"{key} {_text(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(part) for part in value)
    return "not stated" if value is None else str(value)
