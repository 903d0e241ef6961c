"""The figures of a review that a worker left, one file for each run and champion, for pages of large questions.

With 40,000 answers they take seconds, so no page works them out: it reads a file, and says when it was made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_encoder
from attune.labeler.catalog.audit_evidence import Evidence, Scored, classes_by_revision, name_of
from attune.labeler.records.schema import Attribute
from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.files.atomic import digest_bytes, digest_json, write_bytes
from attune.models.labels.labels import Labels

LARGE = 2_000  # answers from which on a worker measures; with fewer, a page does, and follows every answer at once
LONGEST = timedelta(days=1)  # that figures stand: images that were removed since do not change what they are told by
EMPTY = timedelta(minutes=10)  # likewise, of a pool without vectors
FORMAT = 2  # of the files: another one when their content changes
MOST = 24  # files of one attribute
NAME = re.compile(r"(\d+)-(\d+)\.json")  # the run, and the champion beside it or 0


@dataclass(frozen=True)
class Made:
    """When figures were made, in how many ``seconds``; ``old`` says why they no longer stand, if so."""

    at: datetime
    seconds: float
    old: str = ""

    @property
    def stands(self) -> bool:
        """Whether the figures are those of today."""
        return not self.old


@dataclass(frozen=True, eq=False)
class Kept:
    """A file: the run that it judges, what it was made of, and when."""

    run: int
    evidence: Evidence
    made: Made


def is_large(attribute: Attribute) -> bool:
    """Whether pages leave the figures of a review to a worker."""
    return (attribute.answers_counter or 0) >= LARGE


def save(settings: Settings, evidence: Evidence, run: int, champion: int, at: datetime, seconds: float) -> None:
    """Keep what ``evidence`` remembers, with what a page needs beside; ``at``: when the records were read."""
    attribute = evidence.attribute
    place = _place(settings, attribute.id) / f"{run}-{champion}.json"
    labels = evidence.labels
    # Of other runs that this process was asked about since the newest answer there is nothing to say here.
    mine = {run, champion, None}
    figures = {name_of(key): value for key, value in evidence.known.items() if len(key) < 2 or key[1] in mine}
    content = {
        "format": FORMAT, "stamp": stamp(attribute), "basis": _basis(attribute, evidence.encoder),
        "at": iso(at), "since": iso(at), "seconds": seconds,
        "missing": evidence.missing, "newest": evidence.newest, "encoder": evidence.encoder,
        "inclusion": evidence.inclusion, "figures": figures,
        "labels": {name: getattr(labels, name) for name in ("asset_ids", "title_ids", "shares", "weights")},
    }  # fmt: skip
    _join(content, _read(place), at)
    write_bytes(place, json.dumps(content, default=_plain).encode())
    for old in sorted(place.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-MOST]:
        old.unlink(missing_ok=True)


def _join(content: dict[str, Any], before: Mapping[str, Any] | None, at: datetime) -> None:
    """Keep the figures of other columns and classes that somebody else looks at, where they are of the same answers."""
    same = ("stamp", "basis", "encoder")
    if before is None or any(before[key] != content[key] for key in same):
        return
    if before["labels"]["asset_ids"] != list(content["labels"]["asset_ids"]):
        return
    if at - datetime.fromisoformat(before["since"]) < LONGEST:
        content["figures"] = before["figures"] | content["figures"]
        content["since"] = before["since"]


def _read(place: Path) -> dict[str, Any] | None:
    """The file at ``place``; None where there is none, or one of another release."""
    try:
        content = json.loads(place.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def find(settings: Settings, session: Session, attribute: Attribute, run: int, champion: int) -> Kept | None:
    """The figures of ``run`` beside ``champion`` (0: none); None where there are none, or none that can be used."""
    content = _read(_place(settings, attribute.id) / f"{run}-{champion}.json")
    if content is None:
        return None
    active, held = active_encoder(session), content["encoder"]
    if content["basis"] != _basis(attribute, held) or (held is not None and active and active.digest != held):
        return None
    at = datetime.fromisoformat(content["at"])
    made = Made(at, content["seconds"], _old(content, attribute, now() - at))
    return Kept(run, _evidence(session, attribute, content), made)


def _old(content: Mapping[str, Any], attribute: Attribute, age: timedelta) -> str:
    if content["stamp"] != stamp(attribute):
        return "Answers came since then."
    if content["encoder"] is None and age >= EMPTY:  # nothing here tells when the pool has vectors again
        return "The images had no vectors then."
    return "That is more than a day ago." if age >= LONGEST else ""


def newest(settings: Settings, attribute: Attribute, champion: int) -> int | None:
    """The newest run whose figures beside ``champion`` are kept."""
    names = (NAME.fullmatch(path.name) for path in _place(settings, attribute.id).glob(f"*-{champion}.json"))
    return max((int(name[1]) for name in names if name), default=None)


def stamp(attribute: Attribute) -> str:
    """What the figures follow: the attribute's answers and its draw."""
    return f"{attribute.answers_counter} {digest_bytes(attribute.audit_state or b'')}"


def _basis(attribute: Attribute, encoder: str | None) -> str:
    """Where this is another, the figures are of another question, draw or encoder and cannot be shown."""
    passing = ("gates", "views", "chosen_first")
    settings = {key: value for key, value in attribute.settings.items() if key not in passing}
    return digest_json([attribute.revision, attribute.classes, settings, encoder])


def _evidence(session: Session, attribute: Attribute, content: Mapping[str, Any]) -> Evidence:
    labels = content["labels"]
    shares = np.array(labels["shares"], dtype=np.float64).reshape(-1, len(attribute.classes))
    return Evidence(
        attribute,
        classes_by_revision(session, attribute),
        (),
        Labels(tuple(labels["asset_ids"]), tuple(labels["title_ids"]), shares, np.array(labels["weights"])),
        np.array(content["inclusion"], dtype=np.float64),
        None,
        content["missing"],
        content["newest"],
        encoder=content["encoder"],
        kept=content["figures"],
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Scored):
        return value.to_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _place(settings: Settings, attribute_id: int) -> Path:
    return settings.workspace / "cache" / "reviews" / str(attribute_id)
