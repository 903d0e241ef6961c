"""Titles that no one has made yet."""

from __future__ import annotations

import numpy as np

_FIRST = """
Paper Velvet Borrowed Hollow Copper Quiet Second Crooked Salt Amber Tangled Northern Lost Glass Wooden Sleeping Silver
Accidental Nine Thirsty Tiny Gentle Lemon Electric Rusty Midnight Foggy Honest Lucky Feathered Marble Restless Polite
Invisible Sugar Cobalt Stolen
"""
_THING = """
Lantern Orchard Harbour Compass Postman Piano Umbrella Sparrow Tide Parade Ladder Kite Mirror Garden Orbit Bakery Violin
Staircase Comet Button Ferry Carousel Teapot Meridian Pigeon Suitcase Signal Balcony Canary Almanac Lighthouse Radio
Marmalade Satellite Fox Elevator
"""
_PLACE = "Velmora Ostrand Pellinor Tamsin Arvika Corrin Mossgate Larkhill Dunmere Sallow Nettlewick Ilmar Brasswater"


def _one(rng: np.random.Generator) -> str:
    firsts, things, places = _FIRST.split(), _THING.split(), _PLACE.split()
    a = firsts[int(rng.integers(len(firsts)))]
    b, c = (things[int(i)] for i in rng.choice(len(things), size=2, replace=False))
    place = places[int(rng.integers(len(places)))]
    patterns = (
        f"{a} {b}",
        f"The {a} {b}",
        f"{b} and {c}",
        f"{b} of {place}",
        f"Goodbye {place}",
        f"The {b} Club",
        f"A {b} for {place}",
        f"{a} {b}s",
    )
    return patterns[int(rng.integers(len(patterns)))]


def invent_titles(n: int, rng: np.random.Generator) -> list[str]:
    """``n`` different titles; from about a thousand on the words run short and one more is set before them."""
    names: dict[str, None] = {}
    tries = 0
    while len(names) < n:
        tries += 1
        more = "" if tries <= 4 * n else f"{_one(rng)} and "
        names.setdefault(more + _one(rng))
    return list(names)
