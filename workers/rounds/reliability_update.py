"""How far each expert can be relied on, told anew every few answers, and what an answer of theirs counts until then."""

from __future__ import annotations

from collections.abc import Sequence

from attune.labeler.records.run_advice import ExpertReliability, Reliance
from attune.labeler.records.schema import Attribute
from attune.models.labels.agreement_sample import without_doubt_driven
from attune.models.labels.answers import Answer
from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.labels.reliability import answer_weights, reliabilities

EVERY = 10  # answers between two


def updated_reliability(
    current: Reliance | None, answers: Sequence[Answer], count: int, attribute: Attribute, seed: int
) -> Reliance:
    """What is ``current`` where it is of this revision and of the last few of ``count`` answers, else worked out again.

    The same answers, the same value: a round that is repeated changes nothing.
    """
    if current and current.revision == attribute.revision and current.answers <= count < current.answers + EVERY:
        return current
    return Reliance(count, attribute.revision, expert_reliabilities(answers, attribute.classes, seed))


def expert_reliabilities(answers: Sequence[Answer], classes: Sequence[str], seed: int) -> tuple[ExpertReliability, ...]:
    """Each expert's reliability and weight, on images that several answered for another reason than doubt.

    Where images are asked again because someone looks wrong, who answers most looks right.
    """
    even = without_doubt_driven(answers, seed)
    every = Panel.of(even, classes)
    shared = {every.asset_ids[row] for row in ((every.votes != NO_VOTE).sum(axis=1) >= 2).nonzero()[0]}
    estimates = reliabilities(Panel.of([answer for answer in even if answer.asset_id in shared], classes))
    weights = answer_weights(estimates)
    return tuple(ExpertReliability(**one.to_dict(), weight=round(weights[one.expert], 2)) for one in estimates)
