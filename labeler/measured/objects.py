"""Objects by text prompts as they are kept: each one's versions, with the words, the encoder and the head.

A version is made once and never changes, so that images which come later are judged as those before. Other words, or
another encoder, make the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.files.atomic import digest_json, write_json
from attune.models.measured.measured_values import MeasuredValues
from attune.models.measured.objects import MADE_BY, ObjectHead, Phrased

DESCRIBED = "object.json"


@dataclass(frozen=True, eq=False)
class ObjectVersion:
    """Version ``number`` of an object, of the ``encoder`` with this digest; ``digest`` is of all that decides values.

    Its ``values`` are none before images were measured.
    """

    phrased: Phrased
    number: int
    encoder: str
    head: ObjectHead
    digest: str
    values: MeasuredValues

    @property
    def name(self) -> str:
        """The object's name as a feature."""
        return self.phrased.name

    def made_of(self, phrased: Phrased, fingerprint: Fingerprint) -> bool:
        """Whether these words and this encoder, in any order of the words, would make the same version again."""
        return set(self.phrased.phrases) == set(phrased.phrases) and self.encoder == fingerprint.digest


def folder(settings: Settings) -> Path:
    """Where objects are: a folder each, and in it one a version."""
    return settings.workspace / "features" / "objects"


def listed(settings: Settings) -> list[ObjectVersion]:
    """The newest version of each object, by name."""
    found = {}
    for one in sorted(_every(settings), key=lambda one: one.number):
        found[one.name] = one
    return [found[name] for name in sorted(found)]


def find(settings: Settings, name: str) -> ObjectVersion | None:
    """The newest version of the object ``name``; None where there is none."""
    return next((one for one in listed(settings) if one.name == name), None)


def keep(settings: Settings, phrased: Phrased, fingerprint: Fingerprint, head: ObjectHead) -> ObjectVersion:
    """The next version of an object, or the newest one where it is of the same words and encoder."""
    place = folder(settings)
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / ".lock", timeout=60):
        before = find(settings, phrased.name)
        if before is not None and before.made_of(phrased, fingerprint):
            return before
        said = {
            "name": phrased.name, "phrases": list(phrased.phrases), "number": before.number + 1 if before else 1,
            "made_by": MADE_BY, "encoder": fingerprint.digest, "weight": [float(one) for one in head.weight],
            "bias": head.bias,
        }  # fmt: skip
        digest = digest_json(said)
        target = place / phrased.name / digest
        target.mkdir(parents=True, exist_ok=True)
        write_json(target / DESCRIBED, said | {"digest": digest, "at": iso(now())})
    return _version(place, said | {"digest": digest})


def forget(settings: Settings, ids: list[str]) -> None:
    """Delete what was said of images that leave the pool, in every version."""
    for one in _every(settings):
        one.values.remove(ids)


def _every(settings: Settings) -> Iterator[ObjectVersion]:
    for path in sorted(folder(settings).glob(f"*/*/{DESCRIBED}")):
        yield _version(folder(settings), json.loads(path.read_text(encoding="utf-8")))


def _version(place: Path, said: dict[str, Any]) -> ObjectVersion:
    head = ObjectHead(np.array(said["weight"], dtype=np.float32), float(said["bias"]))
    phrased, digest = Phrased(said["name"], tuple(said["phrases"])), str(said["digest"])
    values = MeasuredValues(place / phrased.name, digest, (phrased.name,))
    return ObjectVersion(phrased, int(said["number"]), str(said["encoder"]), head, digest, values)
