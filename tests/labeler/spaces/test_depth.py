"""A layer's number says nothing to a newcomer: it is called early, middle or late among those that there are."""

from __future__ import annotations

from attune.labeler.spaces import spaces
from attune.labeler.views.explore_spaces import title

NAMES = ("final", "layer:0", "layer:4", "layer:11", "colour")


def test_layers_are_early_middle_or_late() -> None:
    assert [spaces.depth(name, NAMES) for name in NAMES] == ["", "early", "middle", "late", ""]
    assert title("layer:11", NAMES) == "Late layer (11)"
    assert spaces.good_for("layer:0", NAMES) != spaces.good_for("layer:11", NAMES)


def test_of_two_layers_nobody_knows_which_is_late() -> None:
    assert title("layer:4", ("layer:4", "layer:5")) == "Layer 4"
