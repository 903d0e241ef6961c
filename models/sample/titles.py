"""Titles that nobody has made yet."""

from __future__ import annotations

import numpy as np

_FIRST = (
    "Paper Velvet Borrowed Hollow Copper Quiet Second Crooked Salt Amber Tangled Northern Lost Glass Wooden Sleeping Silver Accidental Nine "
    "Thirsty Tiny Gentle Lemon Electric Rusty Midnight Foggy Honest Lucky Feathered Marble Restless Polite Invisible Sugar Cobalt Stolen"
).split()
_THING = (
    "Lantern Orchard Harbour Compass Postman Piano Umbrella Sparrow Tide Parade Ladder Kite Mirror Garden Orbit Bakery Violin Staircase Comet "
    "Button Ferry Carousel Teapot Meridian Pigeon Suitcase Signal Balcony Canary Almanac Lighthouse Radio Marmalade Satellite Fox Elevator"
).split()
_PLACE = "Velmora Ostrand Pellinor Tamsin Arvika Corrin Mossgate Larkhill Dunmere Sallow Nettlewick Ilmar Brasswater".split()


def _one(rng: np.random.Generator) -> str:
    a, b, c = (words[int(rng.integers(len(words)))] for words in (_FIRST, _THING, _THING))
    place = _PLACE[int(rng.integers(len(_PLACE)))]
    patterns = (f"{a} {b}", f"The {a} {b}", f"{b} and {c}", f"{b} of {place}", f"Goodbye {place}", f"The {b} Club", f"A {b} for {place}", f"{a} {b}s")
    return patterns[int(rng.integers(len(patterns)))]


def invent_titles(n: int, rng: np.random.Generator) -> list[str]:
    """``n`` different titles; a number is added only when the words run out."""
    names: dict[str, None] = {}
    tries = 0
    while len(names) < n:
        tries += 1
        name = _one(rng)
        if tries > 20 * n:
            name = f"{name} {tries - 20 * n}"
        names.setdefault(name)
    return list(names)
