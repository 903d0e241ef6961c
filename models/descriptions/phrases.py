"""A name in words for a group of images: the phrases that suit it more than they suit the pool, or none.

The text tower of the encoder places phrases among images. A cosine of a text and an image is never a likeness by
itself, so only ranks are used; and a name is given only where both halves of the group choose it, and where it suits
the group's images many times as often as the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

FIRST = 5  # places in which both halves must rank a phrase
FEWEST = 16  # images of a group: fewer have no name
DRAWS = 5  # ways to cut a group into halves: a name that one cut gives by luck, another takes away
# Two halves agree on a phrase that the encoder hardly knows, too: some phrase is always the nearest. So the best one
# must also lift: so many times as many of the group's images as of the others must suit it better than `HIGH` of the
# others do.
HIGH, LEAST_LIFT = 0.95, 6.0

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

    The halves alone are asked: `name_all` also asks for evidence. ``pool_mean`` (d,) is taken off first, so that what
    all images share names none of them. ``titles`` (n,): images of one title stay in one half, as their likeness is not
    news. All vectors have unit length but the mean.
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


@dataclass(frozen=True, eq=False)
class Group:
    """A group's images: unit-length ``members`` (n, d) and the title of each."""

    members: Floats
    titles: Sequence[str]


def name_all(
    groups: Sequence[Group], drawn: Floats, of_group: NDArray[np.integer], phrases: Sequence[str],
    phrase_vectors: Floats,
) -> list[list[str]]:  # fmt: skip
    """The phrases of each group, best first; none where the evidence is weak. No two groups have the same first one.

    ``drawn`` (m, d) are images of the whole pool, and ``of_group`` (m,) their groups by place in ``groups``. Where two
    groups have the same first phrase, what tells them apart follows it after a comma.
    """
    mean = drawn.mean(axis=0) if len(drawn) else np.zeros(phrase_vectors.shape[1], dtype=np.float32)
    found = []
    for place, one in enumerate(groups):
        said = name(one.members, mean, phrases, phrase_vectors, one.titles)
        rest = drawn[of_group != place]
        evident = [text for text in said if _lifts(text, one.members, rest, phrases, phrase_vectors)]
        found.append(evident if evident[:1] == said[:1] else [])
    return _apart(found, groups, phrases, phrase_vectors)


def lift(members: Floats, rest: Floats, phrase: Floats) -> float:
    """How many times as many of ``members`` as of ``rest`` suit a phrase better than `HIGH` of the rest do."""
    if not len(rest) or not len(members):
        return 1.0
    line = np.quantile(rest @ phrase, HIGH)
    return float((members @ phrase > line).mean()) / (1 - HIGH)


def _apart(
    found: Sequence[list[str]], groups: Sequence[Group], phrases: Sequence[str], phrase_vectors: Floats
) -> list[list[str]]:
    """Names of which no two begin alike: each of those that did is told from the others, or has none."""
    named = [list(said) for said in found]
    for first in sorted({said[0] for said in found if said}):
        alike = [place for place, said in enumerate(found) if said and said[0] == first]
        if len(alike) < 2:
            continue
        for place in alike:
            mine, others = groups[place], [groups[other].members for other in alike if other != place]
            middle = np.concatenate(others).mean(axis=0)
            told = [
                text
                for text in name(mine.members, middle, phrases, phrase_vectors, mine.titles)
                if text != first and all(_lifts(text, mine.members, one, phrases, phrase_vectors) for one in others)
            ]
            named[place] = [f"{first}, {told[0]}", *found[place][1:]] if told else []
    counts = Counter(said[0] for said in named if said)
    return [said if said and counts[said[0]] == 1 else [] for said in named]


def _lifts(text: str, members: Floats, others: Floats, phrases: Sequence[str], phrase_vectors: Floats) -> bool:
    return lift(members, others, phrase_vectors[phrases.index(text)]) >= LEAST_LIFT


def _suits(members: Floats, pool_mean: Floats, phrase_vectors: Floats) -> Floats:
    direction = members.mean(axis=0) - pool_mean
    return np.asarray(phrase_vectors @ direction, dtype=np.float32)


def _best(members: Floats, pool_mean: Floats, phrase_vectors: Floats) -> NDArray[np.intp]:
    return np.argsort(-_suits(members, pool_mean, phrase_vectors), kind="stable")[:FIRST]
