"""In which clusters an attribute's first class lives, and where nobody has looked yet: for owners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy.orm import Session

from attune.labeler.answers import held_answers
from attune.labeler.explore import pool_scores
from attune.labeler.explore.pool_scores import PoolScores
from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Attribute
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members
from attune.labeler.spaces.clusterings import Saved
from attune.labeler.spaces.members import Members
from attune.labeler.views.explore_clusters import Card, cards_of
from attune.models.labels.answers import UNSURE
from attune.models.text import plural

SHOWN = 4  # clusters of each list


@dataclass(frozen=True)
class Share:
    """Of a cluster's ``images`` that were scored, ``likely`` are of the first class by the newest probe.

    Experts have answered ``answered`` of them with a class, and ``right`` of these are of the first.
    """

    number: int
    images: int
    likely: int
    answered: int
    right: int

    @property
    def sentence(self) -> str:
        """What is known of the cluster. No interval: the answered images were chosen, so they stand for no others."""
        share = f"The probe finds it in {self.likely} of {plural(self.images, 'image')}."
        if not self.answered:
            return f"{share} Nobody has answered one of them."
        return f"{share} Experts say so of {self.right} of the {self.answered} that they answered."


@dataclass(frozen=True)
class WhereItLives:
    """The clusters with the largest shares of class ``name``, and of those without any answer the most promising."""

    name: str
    clustering: int
    homes: Sequence[Card]
    unseen: Sequence[Card]
    unseen_total: int


def where_it_lives(session: Session, settings: Settings, viewer: Viewer, attribute: Attribute) -> WhereItLives | None:
    """The newest clusters by the encoder's vectors, by an attribute; None before there are both.

    None for who labels the attribute, too: a share moves with each answer, and tells what others and the probe say.
    """
    if not viewer.manages or visible_runs.labelled(session, [attribute.id], viewer):
        return None
    saved, scores = clusterings.latest(session), pool_scores.load(settings, attribute)
    if saved is None or scores is None or not members.there(settings, saved.row.file):
        return None
    held = members.load(settings, saved.row.file)
    answered, right = _answers(session, attribute, held)
    shares = _shares(saved, held, scores, answered, right)
    homes = sorted((one for one in shares if one.likely), key=lambda one: (-one.likely / one.images, one.number))
    unseen = sorted((one for one in shares if not one.answered), key=lambda one: (-one.likely, one.number))
    return WhereItLives(
        attribute.classes[0],
        saved.row.id,
        _cards(settings, viewer, saved, homes[:SHOWN]),
        _cards(settings, viewer, saved, unseen[:SHOWN]),
        len(unseen),
    )


def _answers(session: Session, attribute: Attribute, held: Members) -> tuple[Counter[int], Counter[int]]:
    """By place of the cluster: images with an answer that names a class, and those where most name the first."""
    table = held_answers.of(session, attribute.id)
    votes, first = table.votes, table.code(attribute.classes[0])
    sure = votes.codes != table.code(UNSURE)
    keys, at = np.unique(votes.assets[sure], return_inverse=True)
    every = np.bincount(at, votes.counts[sure], len(keys))
    firsts = np.bincount(at, np.where(votes.codes[sure] == first, votes.counts[sure], 0), len(keys))
    _, mine, rows = np.intersect1d(keys, held.keys, assume_unique=True, return_indices=True)
    places, most = held.places[rows], (2 * firsts > every)[mine]
    return Counter(places.tolist()), Counter(places[most].tolist())


def _shares(
    saved: Saved, held: Members, scores: PoolScores, answered: Mapping[int, int], right: Mapping[int, int]
) -> list[Share]:
    _, at, rows = np.intersect1d(held.keys, scores.keys, assume_unique=True, return_indices=True)
    places, likely = held.places[at], scores.said[rows] == 0
    images = np.bincount(places, minlength=len(saved.clusters))
    positive = np.bincount(places[likely], minlength=len(saved.clusters))
    return [
        Share(one.number, int(images[one.place]), int(positive[one.place]), answered.get(one.place, 0),
              right.get(one.place, 0))
        for one in saved.clusters
    ]  # fmt: skip


def _cards(settings: Settings, viewer: Viewer, saved: Saved, shares: Sequence[Share]) -> list[Card]:
    by_number = {one.number: one for one in saved.clusters}
    cards = cards_of(settings, viewer, saved, [by_number[one.number] for one in shares])
    return [replace(card, said=one.sentence) for card, one in zip(cards, shares, strict=True)]
