"""A name in words for a group of images: the phrases that suit it more than they suit the pool, or none.

The text tower of the encoder places phrases among images. A cosine of a text and an image is never a likeness by
itself, so only ranks are used; and a name is given only where both halves of the group choose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

FIRST = 5  # places in which both halves must rank a phrase
FEWEST = 16  # images of a group: fewer have no name
DRAWS = 5  # ways to cut a group into halves: a name that one cut gives by luck, another takes away

Floats = NDArray[np.float32]


@cache
def vocabulary() -> tuple[str, ...]:
    """Phrases about artwork that ship with the package, each once, in the order of the file."""
    text = (files("attune.models.descriptions") / "vocabulary.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def name(
    members: Floats, pool_mean: Floats, phrases: Sequence[str], phrase_vectors: Floats, titles: Sequence[str],
    seed: int = 0,
) -> list[str]:  # fmt: skip
    """The phrases (at most ``FIRST``) that suit ``members`` (n, d), best first; none where the halves disagree.

    ``pool_mean`` (d,) is taken off first, so that what all images share names none of them. ``titles`` (n,): images of
    one title stay in one half, as their likeness is not news. All vectors have unit length but the mean.
    """
    if len(members) < FEWEST or not len(phrases):
        return []
    _, title = np.unique(np.asarray(titles, dtype=np.str_), return_inverse=True)
    kinds = int(title.max()) + 1
    if kinds < 4:
        return []
    rng = np.random.default_rng(seed)
    kept = set(range(len(phrases)))
    for _ in range(DRAWS):
        first = np.isin(title, rng.permutation(kinds)[: kinds // 2])
        for half in (first, ~first):
            kept &= set(_best(members[half], pool_mean, phrase_vectors).tolist())
    whole = _suits(members, pool_mean, phrase_vectors)
    return [phrases[place] for place in sorted(kept, key=lambda place: (-whole[place], place))]


def _suits(members: Floats, pool_mean: Floats, phrase_vectors: Floats) -> Floats:
    direction = members.mean(axis=0) - pool_mean
    return np.asarray(phrase_vectors @ direction, dtype=np.float32)


def _best(members: Floats, pool_mean: Floats, phrase_vectors: Floats) -> NDArray[np.intp]:
    return np.argsort(-_suits(members, pool_mean, phrase_vectors), kind="stable")[:FIRST]
