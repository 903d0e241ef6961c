"""A feature that can be asked about, without its values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from attune.models.files.atomic import digest_json


@dataclass(frozen=True)
class Known:
    """A feature's newest version. ``classes``: none for a number; ``digest`` changes when its values do; ``audits``
    when the audit answers do that correct it. ``detected``: a detector says it, and errs. ``audited_by``: the attribute
    whose audits correct it: itself, or the question that checks a measured feature, if one does. ``means`` says what it
    means, in a sentence; empty where nobody said so. ``kin``: measured features that say the same in another form, a
    number and its bands: whoever has seen figures of one has an idea of the other's. ``guessed``: an object by text
    prompts, and ``words`` are these prompts and the digest of the encoder that reads them."""

    name: str
    version: int
    kind: Literal["imported", "attribute", "measured"]
    classes: tuple[str, ...]
    digest: str
    audits: str = ""
    detected: bool = False
    audited_by: str = ""
    means: str = ""
    kin: tuple[str, ...] = ()
    guessed: bool = False
    words: tuple[str, ...] = ()

    @property
    def unchecked(self) -> bool:
        """Whether it is a guess of which nobody has checked an image."""
        return self.guessed and not self.audits

    @property
    def only_corrected(self) -> bool:
        """Whether its figures count once audits correct them and never before: a probe's, and those of a guess."""
        return self.kind == "attribute" or self.guessed

    @property
    def values(self) -> str:
        """What a question keeps of the feature: the same values have it under every name. New images in the pool do not
        change it, a new file, champion or way to measure does."""
        made_of = [self.digest] if self.kind == "imported" else [self.name, str(self.version)]
        if self.guessed:  # the same words under another name say the same, and other words under this name do not
            made_of = list(self.words)
        return digest_json({"kind": self.kind, "of": made_of})

    @property
    def names(self) -> frozenset[str]:
        """Its name and those of its kin."""
        return frozenset({self.name, *self.kin})

    @property
    def all_values(self) -> frozenset[str]:
        """Its ``values`` and those of its kin."""
        return frozenset(replace(self, name=name).values for name in self.names)

    @property
    def inputs(self) -> dict[str, str | int]:
        """What an insight names of it."""
        named: dict[str, str | int] = {"feature": self.name, "version": self.version, "kind": self.kind}
        named["digest"] = self.digest
        if self.audits:
            named["audits"] = self.audits
        return named
