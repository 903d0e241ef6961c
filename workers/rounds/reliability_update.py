"""How far each expert can be relied on, told anew every few answers, and what an answer of theirs counts until then."""

from __future__ import annotations

from collections.abc import Sequence

from attune.labeler.records.run_advice import ExpertReliability, Reliance
from attune.labeler.records.schema import Attribute
from attune.models.labels.agreement_sample import evenly
from attune.models.labels.answers import Answer
from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.labels.reliability import reliabilities, trust

EVERY = 10  # answers between two


def judged(held: Reliance | None, answers: Sequence[Answer], count: int, attribute: Attribute, seed: int) -> Reliance:
    """What is ``held`` where it is of this revision and of the last few of ``count`` answers, else worked out anew.

    The same answers, the same value: a round that is repeated changes nothing.
    """
    if held and held.revision == attribute.revision and held.answers <= count < held.answers + EVERY:
        return held
    return Reliance(count, attribute.revision, told(answers, attribute.classes, seed))


def told(answers: Sequence[Answer], classes: Sequence[str], seed: int) -> tuple[ExpertReliability, ...]:
    """Each expert's reliability and weight, on images that several answered for another reason than doubt.

    Where images are asked again because somebody looks wrong, who answers most looks right.
    """
    even = evenly(answers, seed)
    every = Panel.of(even, classes)
    shared = {every.asset_ids[row] for row in ((every.votes != NO_VOTE).sum(axis=1) >= 2).nonzero()[0]}
    found = reliabilities(Panel.of([answer for answer in even if answer.asset_id in shared], classes))
    weights = trust(found)
    return tuple(ExpertReliability(**one.to_dict(), weight=round(weights[one.expert], 2)) for one in found)
