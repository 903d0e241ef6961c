"""The two questions of the sample, as an owner would put them to experts, with prompts for the text encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SampleAttribute:
    """A question with exclusive classes; with two, the first is the positive one.

    ``prompts`` holds texts per class; ``positive`` and ``negative`` are those of the first and of all others.
    """

    name: str
    question: str
    classes: tuple[str, ...]
    definition: str
    in_scope: tuple[str, ...]
    out_of_scope: tuple[str, ...]
    prompts: Mapping[str, tuple[str, ...]]

    @property
    def positive(self) -> tuple[str, ...]:
        """Prompts of the first class."""
        return self.prompts[self.classes[0]]

    @property
    def negative(self) -> tuple[str, ...]:
        """Prompts of every other class."""
        return tuple(text for name in self.classes[1:] for text in self.prompts[name])


ATTRIBUTES: tuple[SampleAttribute, ...] = (
    SampleAttribute(
        name="serious-expression",
        question="Is the expression serious?",
        classes=("serious", "not serious"),
        definition="The faces, taken together, look serious: a level or lowered mouth, a steady or lowered brow.",
        in_scope=(
            "A level mouth and a direct look",
            "A frown, however slight",
            "Most of a group is serious though one person smiles",
        ),
        out_of_scope=("A faint smile", "Nobody in the picture", "A gloomy setting or palette around a smiling face"),
        prompts={
            "serious": ("a serious face",),
            "not serious": ("a funny face",),
        },
    ),
    SampleAttribute(
        name="romance",
        question="Romance, friendship, or neither?",
        classes=("romance", "friendship", "neither"),
        definition="What the people in the picture are to each other, as far as distance, looks and touch show it.",
        in_scope=(
            "romance: an embrace, heads together, a long look",
            "friendship: a high five, an arm around a shoulder",
            "neither: rivals, strangers, nobody, or one person alone",
        ),
        out_of_scope=(
            "Hearts or confetti alone",
            "What the title promises",
            "One dreamy person by themselves",
        ),
        prompts={
            "romance": ("a romance",),
            "friendship": ("a story of friendship",),
            "neither": ("nothing between them",),
        },
    ),
)
