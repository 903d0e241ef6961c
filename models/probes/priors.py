"""What is known before the first answer: prompts, near misses, example images, and what is published, as vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError
from attune.models.vectors.pool import Pool, unit_length
from attune.models.vectors.products import FloatArray

_NOTHING: Mapping[str, Any] = MappingProxyType({})
SAMPLE = 20_000  # assets that suffice for the mean and spread of a phrase's scores over the pool


@dataclass(frozen=True, eq=False)
class Prompts:
    """Vectors of the attribute's prompts and example images, each (m, d), made unit length on the way in.

    ``positive`` prompts speak for the first class, ``negative`` near-miss prompts against it (two classes);
    ``classes`` holds prompts per class name (needed for three or more), ``examples`` image vectors per class name;
    ``relatives`` are the heads of other attributes' published probes (``models.probes.transfer_prior``), at any scale.
    Raises DataError where an array is not (m, d).
    """

    positive: npt.NDArray[Any] | None = None
    negative: npt.NDArray[Any] | None = None
    classes: Mapping[str, npt.NDArray[Any]] = field(default_factory=lambda: _NOTHING)
    examples: Mapping[str, npt.NDArray[Any]] = field(default_factory=lambda: _NOTHING)
    relatives: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        for name in ("positive", "negative", "relatives"):
            object.__setattr__(self, name, _vectors(name, getattr(self, name)))
        for name in ("classes", "examples"):
            checked = {key: _vectors(f"{name}[{key!r}]", value) for key, value in getattr(self, name).items()}
            object.__setattr__(self, name, MappingProxyType({k: v for k, v in checked.items() if v is not None}))

    def phrases(self, classes: Sequence[str]) -> list[FloatArray | None]:
        """Per class its prompts' vectors (m, d), or None; of two classes the second has the near-miss prompts."""
        own: list[list[FloatArray]] = [[self.classes[c]] if c in self.classes else [] for c in classes]
        if len(classes) == 2:
            for position, extra in enumerate((self.positive, self.negative)):
                if extra is not None:
                    own[position].append(extra)
        return [np.concatenate(parts) if parts else None for parts in own]

    def leanings(self) -> FloatArray | None:
        """Directions (m, d) in which the answer may lie: the relatives, and each phrase less the mean of them all.

        The prompts' mean is the probe's beginning; here every phrase has a say of its own. A phrase alone stands for
        itself. None where there are neither.
        """
        phrases = [part for part in (self.positive, self.negative, *self.classes.values()) if part is not None]
        parts = [] if self.relatives is None else [self.relatives]
        if phrases:
            phrase_vectors = np.concatenate(phrases)
            parts.append(phrase_vectors - phrase_vectors.mean(axis=0) if len(phrase_vectors) > 1 else phrase_vectors)
        return np.concatenate(parts) if parts else None

    def examples_of(self, classes: Sequence[str]) -> tuple[FloatArray, npt.NDArray[np.intp]] | None:
        """All examples' vectors (m, d) and their classes' positions (m,), or None where there are none."""
        rows_with_examples = [(i, self.examples[c]) for i, c in enumerate(classes) if c in self.examples]
        if not rows_with_examples:
            return None
        where = np.concatenate([np.full(len(v), i, dtype=np.intp) for i, v in rows_with_examples])
        return np.concatenate([v for _, v in rows_with_examples]), where


def _vectors(name: str, value: npt.ArrayLike | None) -> FloatArray | None:
    if value is None:
        return None
    array = np.asarray(value, dtype=np.float32)
    if array.size == 0:
        return None
    if array.ndim != 2 or not np.isfinite(array).all():
        raise DataError(
            f"Prompts.{name} has the shape {array.shape}. Expected (m, d), one finite vector per row. Embed the "
            "prompts with the pool's encoder."
        )
    return unit_length(array)


@dataclass(frozen=True, eq=False)
class TextPrior:
    """The heads that the prompts alone give: ``weight`` (k, d) and ``bias`` (k,) float32.

    Scaled so that over the pool each head's logits have spread ``GAIN`` and about one asset in ten lies above 0.
    """

    weight: FloatArray
    bias: FloatArray


GAIN = 2.0


def text_prior(
    prompts: Prompts | None, classes: Sequence[str], pool: Pool, rng: np.random.Generator
) -> TextPrior | None:
    """The prompts' heads, scaled on the pool; None where no class has a phrase or the pool is empty.

    Differences of text vectors, so that what all texts share (the gap between texts and images) drops out.
    """
    if prompts is None or not len(pool):
        return None
    directions = _directions(prompts.phrases(classes))
    if directions is None:
        return None
    rows = pool.rows(pool.sample(SAMPLE, rng))
    scores = rows @ directions.T
    spread = np.maximum(scores.std(axis=0), 1e-6)
    # 1.28 spreads above the mean is where a normal distribution has a tenth left.
    shift = 1.28 if len(classes) == 2 else 0.0
    return TextPrior(
        weight=(GAIN * directions / spread[:, None]).astype(np.float32),
        bias=(-GAIN * (scores.mean(axis=0) / spread + shift)).astype(np.float32),
    )


def _directions(phrases: Sequence[FloatArray | None]) -> FloatArray | None:
    """One direction a head (k, d): a class's mean phrase less the mean of the others that have any."""
    means = [None if p is None else p.mean(axis=0) for p in phrases]
    if len(phrases) == 2:
        if means[0] is None and means[1] is None:
            return None
        blank = np.zeros_like(means[0] if means[0] is not None else means[1])
        first, second = (blank if m is None else m for m in means)
        return np.asarray(first - second, dtype=np.float32)[None, :]
    available = [m for m in means if m is not None]
    if len(available) < 2:
        return None
    centre = np.mean(available, axis=0)
    return np.stack([np.zeros_like(centre) if m is None else m - centre for m in means]).astype(np.float32)
