"""What a description says, in sentences for pages and commands; the figures behind it apart."""

from __future__ import annotations

from collections.abc import Sequence

from attune.labeler.records.schema import Description
from attune.labeler.spaces.traits import ANSWERS, AUDIT, COLUMN, PHRASE, PROBE
from attune.models.text import plural

ORDER = (PHRASE, AUDIT, ANSWERS, COLUMN, PROBE)
LARGEST_LIFT = 10  # a larger one says no more: the rest has almost none


def sentence(one: Description) -> str:
    """One thing that the cluster's images have in common, or that is rarer among them."""
    if one.kind == PHRASE:
        return f"In words: {one.value}."
    here, there = _percent(one.share), _percent(one.rest)
    who = {
        COLUMN: f"The column {one.name}{'' if one.p is not None else ', which taught the space,'} is “{one.value}”",
        PROBE: f"The probe of {one.name} expects “{one.value}”",
    }.get(one.kind, f"Experts say “{one.value}” ({one.name})")
    return f"{who} for {here} of these images, and for {there} of the others{_times(one)}."


def figures(one: Description) -> str:
    """The interval, what it rests on, and the false discovery rate."""
    if one.kind == PROBE:
        return "By the probe, not tested: the probe and the clusters come from the same vectors."
    if one.kind == COLUMN and one.p is None:
        return "Not tested: the space was learned from this column, so its clusters differ in it."
    if one.kind == PHRASE:
        return (
            "By the encoder's text tower. Both halves of the cluster agree on it in five draws, and it suits these "
            "images many times as often as the others."
        )
    what = {
        AUDIT: "audit answers, weighted by how likely each image was drawn",
        ANSWERS: "answers to images that Attune or a person chose, not drawn at random",
        COLUMN: "the asset table",
    }[one.kind]
    base = (
        f"95 % interval {_percent(one.lo)} to {_percent(one.hi)}, from {plural(one.n, 'image')} of "
        f"{plural(one.titles, 'title')} ({what})."
    )
    return base if one.q is None else f"{base} False discovery rate {_rate(one.q)}."


def lift(one: Description) -> float | None:
    """How many times as frequent as in the rest; None where the rest has none, or there is no share."""
    return one.share / one.rest if one.share is not None and one.rest else None


def in_order(found: Sequence[Description]) -> list[Description]:
    """Words first, then what experts say, then columns, then the probe; what is rarer after all that is more frequent.

    What audit answers say is not said once more by the other answers.
    """
    audited = {(one.number, one.name, one.value) for one in found if one.kind == AUDIT}
    kept = [one for one in found if one.kind != ANSWERS or (one.number, one.name, one.value) not in audited]
    return sorted(kept, key=lambda one: (one.number, _is_rarer(one), ORDER.index(one.kind), one.place))


def _is_rarer(one: Description) -> bool:
    return one.share is not None and one.rest is not None and one.share < one.rest


def _times(one: Description) -> str:
    times = lift(one)
    if times is None:
        return ""
    if _is_rarer(one):
        rarer = 1 / times if times else LARGEST_LIFT + 1
        return f": more than {LARGEST_LIFT} times rarer" if rarer > LARGEST_LIFT else f": {rarer:.1f} times rarer"
    return f": more than {LARGEST_LIFT} times as often" if times > LARGEST_LIFT else f": {times:.1f} times as often"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _rate(q: float) -> str:
    return "below 0.001" if q < 0.001 else f"{q:.3f}"
