"""What the points of a map are coloured by: one byte for each point, and a legend with counts.

Clusters and own answers are for everybody. What a probe says, and the asset table's columns, which may hold earlier
labels, are for those who manage: an expert answers without them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting
from attune.labeler.explore import pool_scores, search
from attune.labeler.explore.search import Query
from attune.labeler.people.viewer import Viewer, check_filter, check_space, may_open
from attune.labeler.records.schema import Asset, Attribute, Clustering, Queue
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members
from attune.labeler.spaces.spaces import FINAL
from attune.labeler.views import gallery_answers, gallery_filter
from attune.labeler.views.explore_spaces import title
from attune.models.errors import AccessError, UnknownAttribute
from attune.models.labels.answers import UNSURE

CLUSTER, ANSWERS, SAYS, SCORE, COLUMN = "cluster", "answers", "says", "score", "column"
MOST_VALUES = 20  # of a column, the most frequent
BINS = 10  # of a score
OTHERS, UNEVEN = "other values", "experts disagree"

Keys = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Choice:
    """A way to colour that the viewer has: its ``value`` in the address, its ``text``, and the heading above it."""

    value: str
    text: str
    under: str


@dataclass(frozen=True)
class Group:
    """A row of the legend; ``colour`` is a number of the page's palette, ``steps`` of a row of shades.

    ``cluster``: the id of the clustering and the number of the cluster, where the group is one.
    """

    text: str
    count: int
    colour: int
    cluster: tuple[int, int] | None = None


@dataclass(frozen=True)
class Coloured:
    """The group of each point, from 1 in the order of ``groups``; 0 where it has none. ``shades``: groups are steps of
    a scale, from low to high. ``none``: how many have no group. Removed images are in no count."""

    codes: Codes
    groups: Sequence[Group]
    shades: bool = False
    none: int = 0

    def packed(self) -> bytes:
        """For the page: the length of the legend (uint32, lower byte first), the legend as JSON, a byte a point."""
        rows = [asdict(one) for one in self.groups]
        legend = json.dumps({"groups": rows, "shades": self.shades, "none": self.none}).encode()
        return len(legend).to_bytes(4, "little") + legend + self.codes.tobytes()


def choices(session: Session, viewer: Viewer) -> list[Choice]:
    """The ways to colour that ``viewer`` has."""
    found = []
    found += _clusterings(session, viewer)
    for one in _attributes(session, viewer):
        found.append(Choice(f"{ANSWERS}:{one.name}", one.question, "Answers" if viewer.manages else "Your answers"))
    if viewer.manages:
        for one in _attributes(session, viewer):
            found.append(Choice(f"{SAYS}:{one.name}", one.question, "What the probe says"))
            for number, name in enumerate(one.classes[: 1 if len(one.classes) == 2 else None]):
                found.append(Choice(f"{SCORE}:{one.name}:{number}", f"{name}: {one.question}", "Probability"))
        found += [Choice(f"{COLUMN}:{name}", name, "Columns of the asset table") for name in search.columns_of(session)]
    under = list(dict.fromkeys(one.under for one in found))
    return sorted(found, key=lambda one: under.index(one.under))


def by_clusters(space: str) -> str:
    """The ``value`` of colouring by the clusters of a space: ``cluster``, ``cluster:colour``."""
    return CLUSTER if space == FINAL else f"{CLUSTER}:{space}"


def _clusterings(session: Session, viewer: Viewer) -> list[Choice]:
    """A way for each space that has clusters of the whole pool; of the only one it needs no name."""
    whole = select(Clustering.space).where(Clustering.scope == "", may_open(viewer)).distinct()
    there = sorted(session.scalars(whole), key=lambda name: (name != FINAL, name))
    if there == [FINAL]:
        return [Choice(CLUSTER, "Clusters", "")]
    return [Choice(by_clusters(name), title(name), "Clusters") for name in there]


def coloured(settings: Settings, session: Session, viewer: Viewer, keys: Keys, by: str) -> Coloured:
    """The points ``keys`` (n,), in any order, by ``by``; an empty one colours nothing.

    Raises AccessError for what the viewer may not see, UnknownAttribute.
    """
    found = _coloured(settings, session, viewer, keys, by)
    removed = select(Asset.id).where(Asset.removed_at.is_not(None))
    gone = np.isin(keys, np.fromiter(session.scalars(removed), dtype=np.int64))
    codes = np.where(gone, 0, found.codes).astype(np.uint8)
    counts = np.bincount(codes[~gone], minlength=len(found.groups) + 1)
    groups = [replace(one, count=int(counts[code])) for code, one in enumerate(found.groups, 1)]
    return replace(found, codes=codes, groups=groups, none=int(counts[0]))


def _coloured(settings: Settings, session: Session, viewer: Viewer, keys: Keys, by: str) -> Coloured:
    kind, _, rest = by.partition(":")
    name, _, number = rest.partition(":")
    if kind == COLUMN:
        check_filter(viewer, rest or COLUMN)  # also of a column without a name
    if kind in {SAYS, SCORE} and not viewer.manages:
        raise AccessError("Only owners and admins can colour the map by what a probe says. Colour it by your answers.")
    if kind == CLUSTER:
        check_space(viewer, rest)
        return _clusters(settings, session, keys, rest or FINAL)
    if kind == COLUMN:
        return _column(session, keys, rest)
    if kind == ANSWERS:
        return _answers(session, viewer, _attribute(session, viewer, name), keys)
    if kind in {SAYS, SCORE}:
        return _scores(settings, session, viewer, _attribute(session, viewer, name), keys, kind, number)
    return Coloured(np.zeros(len(keys), dtype=np.uint8), ())


def _attributes(session: Session, viewer: Viewer) -> Sequence[Attribute]:
    query = select(Attribute).where(Attribute.retired_at.is_(None)).order_by(Attribute.name)
    if not viewer.manages:
        query = query.join(Queue, Queue.attribute_id == Attribute.id).where(Queue.expert_id == viewer.expert_id)
    return session.scalars(query).all()


def _attribute(session: Session, viewer: Viewer, name: str) -> Attribute:
    found = next((one for one in _attributes(session, viewer) if one.name == name), None)
    if found is None:
        raise UnknownAttribute(f"There is no attribute {name[:60]!r} that you can colour the map by.")
    return found


def _clusters(settings: Settings, session: Session, keys: Keys, space: str) -> Coloured:
    saved = clusterings.latest(session, space)
    if saved is None:
        return Coloured(np.zeros(len(keys), dtype=np.uint8), ())
    held = members.load(settings, saved.row.file)
    # A table by key: to search for each of 200,000 keys in their shuffled order takes ten times as long.
    table = np.zeros(int(max(keys.max(initial=0), held.keys.max(initial=0))) + 1, dtype=np.uint8)
    table[held.keys] = held.places + 1
    codes = table[keys]
    names = [f"{one.number} · {one.name}" if one.name else f"Cluster {one.number}" for one in saved.clusters]
    # A number lives on, so a cluster keeps its colour when the clusters are made again.
    found = _grouped(codes, names, [one.number - 1 for one in saved.clusters])
    pages = [(saved.row.id, one.number) for one in saved.clusters]
    return replace(found, groups=[replace(one, cluster=page) for one, page in zip(found.groups, pages, strict=True)])


def _column(session: Session, keys: Keys, name: str) -> Coloured:
    rows = session.execute(select(Asset.id, Asset.columns[name].as_string()).where(Asset.removed_at.is_(None)))
    of_key = {key: value for key, value in rows if value is not None}
    common = [value for value, _ in Counter(of_key.values()).most_common(MOST_VALUES + 1)]
    shown = common if len(common) <= MOST_VALUES else common[:MOST_VALUES]
    groups = [*shown, OTHERS] if len(common) > MOST_VALUES else shown
    code = {value: number for number, value in enumerate(shown, 1)}
    return _by_key(keys, {key: code.get(value, len(groups)) for key, value in of_key.items()}, groups)


def _answers(session: Session, viewer: Viewer, attribute: Attribute, keys: Keys) -> Coloured:
    """By the experts' answers, for an expert the own ones alone. Those on which they are divided are a group."""
    names = [*attribute.classes, UNSURE]
    if not viewer.manages:
        mine = counting.answers([attribute.id], [viewer.expert_id or 0])
        given = {key: {value: 1} for key, value in session.execute(select(mine.c.asset_pk, mine.c.value))}
        return _by_key(keys, _sides(given, names), names)
    seen = dict(gallery_answers.sides(session, attribute))
    shown = np.array(sorted(seen), dtype=np.int64)
    visible = gallery_filter.visible(session, viewer, Query(), shown)
    kept = {key: seen[key] for key in shown[visible].tolist()}
    return _by_key(keys, _sides(kept, names), [*names, UNEVEN])


def _sides(given: Mapping[int, Mapping[str, int]], names: Sequence[str]) -> dict[int, int]:
    out = {}
    for key, votes in given.items():
        most = max(votes.values())
        leaders = [value for value, count in votes.items() if count == most]
        if len(leaders) > 1:
            out[key] = len(names) + 1
        elif leaders[0] in names:
            out[key] = names.index(leaders[0]) + 1
    return out


def _scores(
    settings: Settings, session: Session, viewer: Viewer, attribute: Attribute, keys: Keys, kind: str, number: str
) -> Coloured:
    """By the class that the newest probe gives, or by the probability of class ``number`` in tenths.

    An image that waits in a queue of the viewer's own is left out: they are to answer it without.
    """
    scores = pool_scores.load(settings, attribute)
    if scores is None:
        return Coloured(np.zeros(len(keys), dtype=np.uint8), ())
    visible = gallery_filter.visible(session, viewer, Query(), scores.keys)
    if kind == SAYS:
        codes, groups = scores.said + 1, list(attribute.classes)  # a tie is -1
    else:
        place = int(number) if number.isdecimal() and int(number) < len(attribute.classes) else 0
        codes = np.minimum((scores.columns[place] * BINS).astype(np.int32), BINS - 1) + 1
        groups = [f"{10 * low} to {10 * low + 10} %" for low in range(BINS)]
    codes = np.where(visible, np.maximum(codes, 0), 0).astype(np.uint8)
    rows = scores.rows(keys.tolist())
    return _grouped(np.where(rows >= 0, codes[rows], 0).astype(np.uint8), groups, shades=kind == SCORE)


def _by_key(keys: Keys, codes: Mapping[int, int], groups: Sequence[str]) -> Coloured:
    return _grouped(np.fromiter((codes.get(key, 0) for key in keys.tolist()), dtype=np.uint8), groups)


def _grouped(codes: Codes, names: Sequence[str], colours: Sequence[int] = (), shades: bool = False) -> Coloured:
    of_code = colours or [-1 if name in (UNSURE, OTHERS) else place for place, name in enumerate(names)]
    rows = [Group(str(name), 0, colour) for name, colour in zip(names, of_code, strict=True)]
    return Coloured(codes, rows, shades)
