"""Objects by text prompts as they are kept: each one's versions, with the words, the encoder and the head.

A version is made once and never changes, so that images which come later are judged as those before. Other words, or
another encoder, make the next one. It counts once all images of its time are measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError
from attune.models.files.atomic import digest_json, write_json
from attune.models.measured.measured_values import DESCRIBED as VALUES
from attune.models.measured.measured_values import MeasuredValues
from attune.models.measured.objects import MADE_BY, ObjectHead, Phrased

DESCRIBED, GONE = "object.json", "removed.json"


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
    return max((one for one in _every(settings, name) if one.name == name), key=lambda one: one.number, default=None)


def made(settings: Settings, phrased: Phrased, fingerprint: Fingerprint, head: ObjectHead) -> ObjectVersion:
    """What would be the object's next version. Nobody finds it before it is kept, so that a measuring that is killed or
    fails leaves the version before in use; the same pool makes the same one again, with the values that it has."""
    made = [one.number for one in _every(settings, phrased.name, removed=True) if one.name == phrased.name]
    number = max(made, default=0) + 1
    digest = digest_json(_said(phrased, number, fingerprint.digest, head))
    return _with_values(folder(settings), phrased, number, fingerprint.digest, head, digest)


def keep(settings: Settings, one: ObjectVersion) -> None:
    """Put a version that was ``made`` and measured into use. Raises DataError where another one was meanwhile."""
    place = folder(settings)
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / ".lock", timeout=60):
        before = find(settings, one.name)
        if before is not None and before.number >= one.number:
            if before.digest == one.digest:
                return
            raise DataError(
                f"{one.name} was measured as {before.phrased.said} at the same time, and that stands. To measure it as "
                f"{one.phrased.said}, do it again."
            )
        target = place / one.name / one.digest
        target.mkdir(parents=True, exist_ok=True)
        said = _said(one.phrased, one.number, one.encoder, one.head)
        write_json(target / DESCRIBED, said | {"digest": one.digest, "at": iso(now())})


def remove(settings: Settings, name: str, reason: str, who: str) -> None:
    """Say of all versions that there are of the object ``name`` that they are not in use any more. They stay on disk,
    and the next one has the next number."""
    with FileLock(folder(settings) / ".lock", timeout=60):
        last = max(one.number for one in _every(settings, name, removed=True) if one.name == name)
        said = {"up_to": last, "reason": reason, "who": who, "at": iso(now())}
        write_json(folder(settings) / name / GONE, said)


def forget(settings: Settings, ids: list[str]) -> None:
    """Delete what was said of images that leave the pool, in every version, also one that was never put into use."""
    for path in folder(settings).glob(f"*/*/{VALUES}"):
        name = path.parent.parent.name
        MeasuredValues(folder(settings) / name, path.parent.name, (name,)).remove(ids)


def _said(phrased: Phrased, number: int, encoder: str, head: ObjectHead) -> dict[str, Any]:
    """All that decides values, as it is kept."""
    return {
        "name": phrased.name, "phrases": list(phrased.phrases), "number": number, "made_by": MADE_BY,
        "encoder": encoder, "weight": [float(one) for one in head.weight], "bias": head.bias,
    }  # fmt: skip


def _every(settings: Settings, name: str = "", removed: bool = False) -> Iterator[ObjectVersion]:
    """All versions of an object, or of each; also those that somebody ``removed``, or not."""
    if name != Path(name).name or name == "..":  # a path is nobody's name, and leads out of the folder
        return
    for path in sorted(folder(settings).glob(f"{escape(name) or '*'}/*/{DESCRIBED}")):
        gone = path.parent.parent / GONE
        one = _version(folder(settings), json.loads(path.read_text(encoding="utf-8")))
        if removed or not gone.exists() or one.number > json.loads(gone.read_text(encoding="utf-8"))["up_to"]:
            yield one


def _version(place: Path, said: dict[str, Any]) -> ObjectVersion:
    head = ObjectHead(np.array(said["weight"], dtype=np.float32), float(said["bias"]))
    phrased = Phrased(said["name"], tuple(said["phrases"]))
    return _with_values(place, phrased, int(said["number"]), str(said["encoder"]), head, str(said["digest"]))


def _with_values(
    place: Path, phrased: Phrased, number: int, encoder: str, head: ObjectHead, digest: str
) -> ObjectVersion:  # fmt: skip
    values = MeasuredValues(place / phrased.name, digest, (phrased.name,))
    return ObjectVersion(phrased, number, encoder, head, digest, values)
