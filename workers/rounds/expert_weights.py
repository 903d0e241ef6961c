"""How far each expert can be relied on, told anew every few answers, and what an answer of theirs counts until then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attune.labeler.records.schema import Attribute
from attune.models.labels.agreement_sample import evenly
from attune.models.labels.answers import Answer
from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.labels.reliability import reliabilities, trust

KEY = "reliance"  # of a run's advice
EVERY = 10  # answers between two


def judged(
    held: Mapping[str, Any] | None, answers: Sequence[Answer], count: int, attribute: Attribute, seed: int
) -> dict[str, Any]:
    """What is ``held`` where it is of this revision and of the last few of ``count`` answers, else worked out anew.

    Plain JSON values: ``answers`` and ``revision`` it is of, and ``told`` for each expert ``expert``, ``accuracy``,
    ``confusion`` and ``weight``. The same answers, the same value: a round that is repeated changes nothing.
    """
    if held and held["revision"] == attribute.revision and held["answers"] <= count < held["answers"] + EVERY:
        return {key: held[key] for key in ("answers", "revision", "told")}
    return {"answers": count, "revision": attribute.revision, "told": told(answers, attribute.classes, seed)}


def told(answers: Sequence[Answer], classes: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """Each expert's reliability and weight, on images that several answered for another reason than doubt.

    Where images are asked again because somebody looks wrong, who answers most looks right.
    """
    even = evenly(answers, seed)
    every = Panel.of(even, classes)
    shared = {every.asset_ids[row] for row in ((every.votes != NO_VOTE).sum(axis=1) >= 2).nonzero()[0]}
    found = reliabilities(Panel.of([answer for answer in even if answer.asset_id in shared], classes))
    weights = trust(found)
    return [one.to_dict() | {"weight": round(weights[one.expert], 2)} for one in found]
