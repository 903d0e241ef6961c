"""Simulated experts: each sees the latent values through a threshold and a noise of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from attune.labeler.sample.catalogue import Catalogue, Truth
from attune.labeler.sample.latents import romance_class, serious_class
from attune.models.errors import UnknownAsset, UnknownAttribute

UNSURE, SKIP = "unsure", "skip"
_HARDER = 1.7  # what two people are to each other is read less surely than a face


@dataclass(frozen=True)
class Expert:
    """One person's eye: ``threshold`` over the latent value, ``noise`` (standard deviation) on what is seen of it.

    Answers depend on seed, attribute and asset alone: asked again, the expert says the same.
    """

    name: str
    threshold: float
    noise: float
    seed: int
    truths: Mapping[str, Truth] = field(repr=False, compare=False)
    doubt: float = 0.02
    skips: float = 0.01

    def answer(self, attribute: str, asset_id: str) -> str:
        """A class of ``attribute``, ``unsure`` close to the threshold, or now and then ``skip``.

        Raises UnknownAsset or UnknownAttribute.
        """
        truth = self.truths.get(asset_id)
        if truth is None:
            raise UnknownAsset(
                f"The sample images have no asset {asset_id!r}. manifest.csv lists all {len(self.truths)}."
            )
        if attribute not in ("serious-expression", "romance"):
            raise UnknownAttribute(
                f"The simulated experts do not know {attribute!r}. Use serious-expression or romance."
            )
        rng = self._rng(attribute, asset_id)
        skipped, *slips = rng.random(), *rng.normal(0.0, self.noise, size=2)
        if skipped < self.skips:
            return SKIP
        if attribute == "serious-expression":
            return self._serious(truth, slips[0])
        return self._romance(truth, slips[0], slips[1])

    def _serious(self, truth: Truth, slip: float) -> str:
        seen = truth.serious + slip
        if truth.people and abs(seen - self.threshold) < self.doubt:
            return UNSURE
        return serious_class(seen, truth.people, self.threshold)

    def _romance(self, truth: Truth, slip: float, other: float) -> str:
        if truth.people < 2:
            return "neither"
        romance, friendship = truth.romance + _HARDER * slip, truth.friendship + _HARDER * other
        if abs(max(romance, friendship) - self.threshold) < self.doubt:
            return UNSURE
        return romance_class(romance, friendship, self.threshold)

    def _rng(self, attribute: str, asset_id: str) -> np.random.Generator:
        digest = hashlib.blake2b(f"{self.seed}|{attribute}|{asset_id}".encode(), digest_size=8).digest()
        return np.random.default_rng(int.from_bytes(digest, "big"))


def stock_experts(catalogue: Catalogue | Path) -> tuple[Expert, Expert, Expert]:
    """Ana, who is even-handed; Ben, who sees seriousness and love sooner; Chloe, who wants more of both."""
    sample = catalogue if isinstance(catalogue, Catalogue) else Catalogue.read(catalogue)
    return (
        Expert("ana", 0.50, 0.08, 11, sample.truths),
        Expert("ben", 0.44, 0.10, 12, sample.truths),
        Expert("chloe", 0.56, 0.10, 13, sample.truths),
    )
