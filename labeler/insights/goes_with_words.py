"""What goes with takes, one plain sentence for each feature. Grade D: never that anything is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attune.labeler.insights.goes_with import SAYS
from attune.labeler.insights.words import change, often, sides_of
from attune.models.insights.side_means import THIRDS

NUMBER = dict(zip(THIRDS, ("low", "middling", "high"), strict=True))


def tells(one: Mapping[str, Any]) -> bool:
    """Whether the prediction surely gets worse without the feature, for one of the models."""
    return any(one[model]["low"] > 0 for model in SAYS)


def sentence(one: Mapping[str, Any], classes: Sequence[str], uncorrected: bool) -> str:
    """What a feature goes with; ``uncorrected``: nobody corrects here what a probe or a detector gets wrong."""
    name, sides = one["feature"], one["sides"]
    if not tells(one):
        return f"No measurable difference: takes are predicted as well without {name}."
    if not sides:
        return f"{name} goes with takes, on too few titles to say which images."
    if sides[0]["low"] <= 0:
        return f"{name} goes with takes together with other features. Alone, none of its images goes with more takes."
    images = f"Images {side_of(name, sides[0]['side'], classes)}"
    if uncorrected:
        return f"{images} go with more takes. How many more is not known: what is misread is not corrected here."
    low, high = (change(sides[0][end]).lstrip("+") for end in ("low", "high"))
    amount = often(sides[0]["mean"])
    return f"{images} are taken {amount} than an average image of the same canvas. Probably between {low} and {high}."


def side_of(feature: str, side: str, classes: Sequence[str]) -> str:
    """Which images, after the word images."""
    if not classes:
        return f"with a {NUMBER[side]} {feature}"
    if len(classes) == 2:
        return sides_of(feature, ":".join(classes))[list(classes).index(side)]
    return f"with “{side}”"
