"""What a title's own images say beside an insight over many titles: a reader sees both, and they may not agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attune.labeler.briefs.own import Own, signed
from attune.models.text import plural

MANY = 3  # figures that are named


def against(own: Own, sides: tuple[Sequence[str], Sequence[str]], names: tuple[str, str]) -> str:
    """A sentence where the title's images surely did otherwise than the insight says, or where it has none of the kind
    and some of the other surely did better than the rest, which speaks neither for it nor against it. Empty where
    nothing is sure or they agree. ``sides``: the title's images of the side that is taken more often over many titles,
    and of the other one; ``names`` what these are, after the word images."""
    (has, lacks), (use, less) = sides, names
    worse, better = _surely(own, has, -1), _surely(own, has, 1)
    others = _surely(own, lacks, 1)
    chance = "" if own.random else " They were not shown at random."
    if not has and others:
        return (
            "Its best images are of the other kind, so nothing is known of such an image here. Test one beside its "
            "others."
        )
    if better or not has or _surely(own, lacks, -1):
        return ""
    if worse:
        which = "its image" if len(has) == 1 else f"{len(worse)} of its {plural(len(has), 'image')}"
        return (
            f"In this film {which} {use} did worse than its others: {_listed(worse)}. Over many films such images do "
            f"better. Test it.{chance}"
        )
    if others:
        return (
            f"In this film {len(others)} of its {plural(len(lacks), 'image')} {less} did better than its others: "
            f"{_listed(others)}. Over many films such images do worse. Test it.{chance}"
        )
    return ""


def _surely(own: Own, names: Iterable[str], way: int) -> list[str]:
    """By how much those of ``names`` that surely did better (1) or worse (-1) did so, the farthest first."""
    found = [one for name in names if (one := own.images.get(name)) is not None and one.ratio is not None]
    told = [one for one in found if one.low is not None and one.high is not None]
    sure = [one for one in told if (one.low > 1 if way > 0 else one.high < 1)]  # type: ignore[operator]
    return [signed(one) for one in sorted(sure, key=lambda one: -abs(one.ratio - 1))]  # type: ignore[operator]


def _listed(said: Sequence[str]) -> str:
    more = f" and {len(said) - MANY} more" if len(said) > MANY else ""
    return f"{', '.join(said[:MANY])}{more}"
