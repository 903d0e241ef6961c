"""The images nearest to a prompt, and which are near misses."""

from __future__ import annotations

from attune.labeler.people.viewer import Viewer
from attune.labeler.settings import Settings
from attune.labeler.views.nearest import near_misses, nearest
from tests.support import factories

ORDER = [f"a{number}" for number in range(300)]


def test_without_another_prompt_misses_are_a_bit_further_away() -> None:
    misses = near_misses(ORDER)
    places = [ORDER.index(name) for name in misses]
    assert len(misses) == 8
    assert places == sorted(places)
    assert min(places) >= 30
    assert max(places) < 60
    assert near_misses(ORDER[:20]) == ORDER[10:18], "of a small pool, those that are not shown"
    assert near_misses(ORDER[:10]) == []


def test_with_another_prompt_misses_are_near_to_both_and_not_shown_already() -> None:
    other = [*reversed(ORDER[:60]), *ORDER[60:]]
    misses = near_misses(ORDER, other)
    assert misses[0] in {"a29", "a30"}, "the middle of both orders"
    assert len(misses) == 8
    assert not set(misses) & set(ORDER[:10])
    assert near_misses(ORDER, [f"b{number}" for number in range(50)]) == [], "nothing is near to both"


def test_without_vectors_it_says_so_and_asks_no_worker(settings: Settings) -> None:
    factories.add_assets(settings, 1)
    found = nearest(settings, Viewer("owner", "olga@example.org"), "a dark corridor")
    assert "no vectors" in found.unread
    assert not found.waits
