"""A brief says where a title's own images did otherwise than its line says of many titles."""

from __future__ import annotations

import pytest

from attune.labeler.briefs.in_this_film import against
from attune.labeler.briefs.own import Own
from attune.models.insights.own_images import OwnImage

OWN = {
    "up": OwnImage(900, 90, 1.51, 1.34, 1.69),
    "up a little": OwnImage(900, 80, 1.14, 1.01, 1.29),
    "down": OwnImage(900, 50, 0.79, 0.69, 0.91),
    "neither": OwnImage(900, 70, 1.05, 0.9, 1.2),
    "few": OwnImage(9, 1),
}


@pytest.mark.parametrize(
    ("has", "lacks", "said"),
    [
        (["down", "neither"], ["up"], ["1 of its 2 images with a", "worse", "−21", "Test it"]),
        (["neither", "few"], ["up", "up a little"], ["without a", "better", "+51", "+14", "Test it"]),
        ([], ["up a little", "up", "down"], ["of the other kind, so nothing is known of such an image here. Test one"]),
        (["up", "down"], ["neither"], []),  # they do not agree with each other
        (["neither"], ["up", "down"], []),
        (["up"], ["down"], []),
        (["neither"], ["few", "unknown"], []),
        ([], ["neither", "down"], []),
    ],
)
def test_it_speaks_up_only_where_the_titles_own_figures_are_sure(
    has: list[str], lacks: list[str], said: list[str]
) -> None:
    found = against(Own(OWN, random=True), (has, lacks), ("with a", "without a"))
    assert bool(found) is bool(said)
    assert all(one in found for one in said), found
    chosen = against(Own(OWN), (has, lacks), ("with a", "without a"))
    assert ("not shown at random" in chosen) is bool(said and has)
