"""Groups of near duplicates around one image each, from the pairs that a search found.

They are made anew whenever somebody looks, of what is there and undecided then: where the first image of a group is
gone, the rest is a group only as far as its images are near each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

Group = list[tuple[int, float]]


def groups_of(
    pairs: Iterable[tuple[int, int, float]],
    equal: Iterable[tuple[int, int]],
    there: Collection[int],
    decided: Collection[tuple[int, int]] = frozenset(),
) -> list[Group]:
    """Groups of (image, cosine to the first), the nearest first; the first has the cosine 1.

    ``equal``: the first image with a vector, and another with the same one; ``pairs`` of first images, with cosines.
    Only images that are ``there`` come, and none beside one that it was ``decided`` about (the smaller first). Each
    image is in one group at most, and every member is a near duplicate of the first: no chain of small steps leads
    from one picture to quite another.
    """
    beside: dict[int, dict[int, float]] = defaultdict(dict)
    same: dict[int, list[int]] = {}
    for a, b, cosine in pairs:
        beside[a][b] = beside[b][a] = cosine
        same.setdefault(a, [a])
        same.setdefault(b, [b])
    for first, other in equal:
        same.setdefault(first, [first]).append(other)
    same = {node: [one for one in images if one in there] for node, images in same.items()}
    many = {node: len(images) + sum(len(same[one]) for one in beside[node]) for node, images in same.items()}
    taken: set[int] = set()
    groups: list[Group] = []
    for node in sorted(same, key=lambda one: (-many[one], one)):
        for first in same[node]:
            if first not in taken and (alike := _alike(first, {node: 1.0} | beside[node], same, taken, decided)):
                groups.append([(first, 1.0), *sorted(alike, key=lambda one: (-one[1], one[0]))])
                taken.update(one for one, _ in groups[-1])
    return groups


def _alike(
    first: int,
    nodes: Mapping[int, float],
    same: Mapping[int, Sequence[int]],
    taken: Collection[int],
    decided: Collection[tuple[int, int]],
) -> Group:
    return [
        (one, cosine)
        for node, cosine in nodes.items()
        for one in same[node]
        if one != first and one not in taken and (min(first, one), max(first, one)) not in decided
    ]
