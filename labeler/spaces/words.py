"""What became of clusters, in sentences for pages and commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attune.models.text import plural


def fewer(asked: int, made: int) -> list[str]:
    """That there are fewer clusters than were asked for, and why; nothing where there are as many."""
    if made >= asked:
        return []
    return [f"{plural(made, 'cluster')} instead of {asked}: the pool has too few images that differ."]


def changed(changes: Mapping[str, Any]) -> list[str]:
    """What became of the clusters of the clustering before."""
    said = []
    if lost := changes.get("lost"):
        which = "clustering" if len(lost) == 1 else "clusterings"
        said.append(
            f"The file of {which} {', '.join(map(str, lost))} is gone, so numbers and names could not come from there. "
            "Clusters that match none of an older clustering have new numbers."
        )
    if born := changes.get("born"):
        said.append(f"New since the clustering before: {_numbers(born)}.")
    if died := changes.get("died"):
        said.append(f"No longer there: {_numbers(died)}.")
    said += [f"Cluster {old} split: its images are now in {_numbers(new)}." for old, new in _items(changes, "split")]
    said += [f"Cluster {new} took in much of {_numbers(old)}." for new, old in _items(changes, "merged")]
    return said


def _items(changes: Mapping[str, Any], kind: str) -> list[tuple[str, Sequence[int]]]:
    found: Mapping[str, Sequence[int]] = changes.get(kind, {})
    return sorted(found.items(), key=lambda one: int(one[0]))


def _numbers(numbers: Sequence[int]) -> str:
    *first, last = sorted(numbers)
    if not first:
        return f"cluster {last}"
    return f"clusters {', '.join(map(str, first))} and {last}"
