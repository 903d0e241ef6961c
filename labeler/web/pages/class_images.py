"""The images chosen for the classes of a new question: each for one class, and the first ones that experts answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from werkzeug.datastructures import MultiDict

from attune.labeler.views.nearest import Nearest
from attune.labeler.web.pages.question_fields import Filled, lines

PAIR = 2  # of two classes, the one's images are what counts, the other's what does not


@dataclass(frozen=True)
class ClassImages:
    """``rows``: the image ids chosen for the class in each row of the form, in their order."""

    rows: Sequence[Sequence[str]] = ()

    @classmethod
    def sent(cls, form: MultiDict[str, str], most: int) -> ClassImages:
        """As the fields ``chosen-0`` to ``chosen-N`` of a form with ``most`` rows have them."""
        fields = (form.getlist(f"chosen-{place}") for place in range(most))
        return cls([list(dict.fromkeys(one[:255] for one in ids if one)) for ids in fields])

    def of(self, place: int) -> Sequence[str]:
        """The ids chosen in row ``place``."""
        return self.rows[place] if place < len(self.rows) else ()

    def problem(self, names: Sequence[str]) -> str:
        """That an image is chosen for two classes; empty where none is. ``names``: the class of each row."""
        first: dict[str, int] = {}
        for place, ids in enumerate(self.rows):
            for one in ids:
                if one in first:
                    both = " and for ".join(_called(names, row) for row in (first[one], place))
                    return f"{one} is chosen for {both}. Choose it for one class only."
                first[one] = place
        return ""

    def in_turn(self) -> list[str]:
        """All ids, one of each class in turn: after a few answers each class has some."""
        return [one for one in chain.from_iterable(zip_longest(*self.rows)) if one is not None]

    def examples(self, texts: Mapping[str, str], typed: Sequence[tuple[str, str]]) -> dict[str, str]:
        """The form's ``texts`` with the images of two classes among what counts and what does not.

        ``typed``: the rows, a name and a caption each. Three classes or more have no such sides: unchanged.
        """
        named = [place for place, row in enumerate(typed) if any(row)]
        if len(named) != PAIR:
            return dict(texts)
        sides = dict(zip(("in_scope", "out_of_scope"), map(self.of, named), strict=True))
        chosen = set(self.in_turn())
        return dict(texts) | {
            key: "\n".join([*(line for line in lines(texts.get(key, "")) if line not in chosen), *ids])
            for key, ids in sides.items()
        }

    def unseen(self, near: Sequence[Nearest | None]) -> Iterator[tuple[int, str]]:
        """Row and id of those that no image on the page, as ``near`` shows them, has a box for."""
        shown: set[str] = set()
        for found in near:
            shown |= {one.asset_id for one in (*found.nearest, *found.misses)} if found else set()
        return ((place, one) for place, ids in enumerate(self.rows) for one in ids if one not in shown)


def offered(filled: Filled, place: int) -> list[tuple[int, str]]:
    """The classes, row and name, that an image below row ``place`` can be chosen for: its own, of two classes both."""
    names = [name for name, _ in filled.rows]
    both = range(PAIR) if len(names) <= PAIR and place < PAIR else (place,)
    return [(one, names[one] if one < len(names) else "") for one in both]


def _called(names: Sequence[str], place: int) -> str:
    return names[place] if place < len(names) and names[place] else f"class {place + 1}"
