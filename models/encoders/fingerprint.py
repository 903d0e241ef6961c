"""What made a vector: the encoder's fingerprint, without which vectors of two encoders would mix unseen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from attune.models.errors import EncoderMismatch, UnreadableItem
from attune.models.files.atomic import digest_file, digest_json
from attune.models.files.inputs import read_user_file
from attune.models.reasons import reason

EXTERNAL = "external:"


@dataclass(frozen=True)
class Fingerprint:
    """The facts that two encoders must share for their vectors to be comparable.

    ``weights`` is the sha256 of the checkpoint file, or ``external:`` and the sha256 of the file that the vectors came
    in. ``preprocessing`` is a JSON object (size, mode, mean, std, interpolation, …). Vectors have ``dimension``
    entries, and unit length where ``normalised``. Raises UnreadableItem for a field that cannot be.
    """

    library: str
    model: str
    weights: str
    dimension: int
    normalised: bool = True
    preprocessing: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("library", "model", "weights"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise _unusable(name, getattr(self, name), "a text that is not empty")
        if not isinstance(self.dimension, int) or isinstance(self.dimension, bool) or self.dimension < 1:
            raise _unusable("dimension", self.dimension, "a whole number of 1 or more")
        if not isinstance(self.normalised, bool):
            raise _unusable("normalised", self.normalised, "true or false")
        if not isinstance(self.preprocessing, Mapping):
            raise _unusable("preprocessing", self.preprocessing, "a JSON object")
        # Through JSON once, so that a tuple and a list, or a fingerprint read back, are the same.
        object.__setattr__(self, "preprocessing", json.loads(json.dumps(dict(self.preprocessing), sort_keys=True)))

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the fingerprint's canonical JSON: the name of the encoder in folders and records."""
        return digest_json(self.to_dict())

    @property
    def is_external(self) -> bool:
        """Whether the vectors came in a file, so that neither images nor texts can be encoded here."""
        return self.weights.startswith(EXTERNAL)

    def to_dict(self) -> dict[str, Any]:
        """The fingerprint as a JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Any) -> Fingerprint:
        """The fingerprint that ``to_dict`` wrote. Raises UnreadableItem that names the field at fault."""
        fields = {"library", "model", "weights", "dimension", "normalised", "preprocessing"}
        if not isinstance(value, Mapping):
            raise _unusable("document", value, "a JSON object with " + ", ".join(sorted(fields)))
        if unknown := sorted(set(value) - fields):
            raise _unusable(
                unknown[0], value[unknown[0]], "absent, because the fields are " + ", ".join(sorted(fields))
            )
        if missing := sorted({"library", "model", "weights", "dimension"} - set(value)):
            raise _unusable(missing[0], None, "present, like library, model, weights and dimension")
        return cls(**value)

    @classmethod
    def from_file(cls, path: Path) -> Fingerprint:
        """The fingerprint in the JSON file ``path``. Raises UnreadableItem where it holds none."""
        try:
            return cls.from_dict(json.loads(read_user_file(path)))
        except UnreadableItem as error:
            raise UnreadableItem(f"{path}: {error}") from error
        except (OSError, ValueError, RecursionError) as error:
            raise UnreadableItem(
                f"{path} has no fingerprint: {reason(error)}. Expected a JSON object, such as `attune encoder "
                "check --json` prints under fingerprint."
            ) from error

    @classmethod
    def external(cls, path: Path, dimension: int) -> Fingerprint:
        """The fingerprint of ready-made vectors that came with none: the file itself is the encoder's name."""
        return cls("external", "vectors", EXTERNAL + digest_file(path), dimension)

    def require(self, other: Fingerprint, holder: str, next_step: str) -> None:
        """Raise EncoderMismatch unless ``other`` equals this one; ``holder`` says whose this one is."""
        if self != other:
            raise EncoderMismatch(
                f"{holder} is {self}. Got {other}, which differs in {self._difference_in_words(other)}. {next_step}"
            )

    def _difference_in_words(self, other: Fingerprint) -> str:
        """The names of the fields in which ``other`` differs; of preprocessing also what differs there, both values.

        Two encoders of the same weights look the same in a message until it says that one crops and the other pads.
        """
        named = self.differences(other)
        mine, theirs = self.preprocessing, other.preprocessing
        keys = sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))
        parts = [f"{key} {_shown(theirs.get(key))}, not {_shown(mine.get(key))}" for key in keys]
        option = f" (--resize-mode {mine['resize_mode']})" if "resize_mode" in keys and "resize_mode" in mine else ""
        return ", ".join(f"preprocessing: {'; '.join(parts)}{option}" if n == "preprocessing" else n for n in named)

    def differences(self, other: Fingerprint) -> list[str]:
        """The names of the fields in which two fingerprints differ."""
        mine, theirs = self.to_dict(), other.to_dict()
        return [name for name in mine if mine[name] != theirs[name]]

    def __str__(self) -> str:
        mark = EXTERNAL if self.is_external else ""
        weights = mark + self.weights.removeprefix(EXTERNAL)[:12]
        return f"{self.library} {self.model} ({self.dimension}-d, weights {weights}, fingerprint {self.digest[:12]})"


def _shown(value: Any) -> str:
    return "missing" if value is None else str(value)[:80]


def _unusable(name: str, value: Any, expected: str) -> UnreadableItem:
    shown = "missing" if value is None else repr(value)[:80]
    return UnreadableItem(f"The fingerprint's {name} is {shown}. It must be {expected}.")
