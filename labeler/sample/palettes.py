"""Palettes of the sample's posters, with the words that captions use for their colours."""

from __future__ import annotations

from dataclasses import dataclass

from attune.labeler.sample.drawing import Colour


def rgb(code: str) -> Colour:
    """The colour of a six-digit hexadecimal code."""
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """The colour ``t`` of the way from ``a`` to ``b``, opaque."""
    return tuple(round(x + (y - x) * t) for x, y in zip(a[:3], b[:3], strict=True))


def darker(colour: Colour, t: float = 0.18) -> Colour:
    """A shadow of ``colour``: towards a deep blue, which stays livelier than black."""
    return mix(colour, (24, 18, 52), t)


def lighter(colour: Colour, t: float = 0.18) -> Colour:
    """A light of ``colour``, towards a warm white."""
    return mix(colour, (255, 250, 240), t)


@dataclass(frozen=True)
class Palette:
    """Sky (top, middle, bottom), three planes from far to near, two accents, dark ink and light paper."""

    name: str
    words: tuple[str, ...]
    night: bool
    sky: tuple[Colour, Colour, Colour]
    planes: tuple[Colour, Colour, Colour]
    accents: tuple[Colour, Colour]
    ink: Colour
    paper: Colour


def _palette(name: str, words: str, night: bool, codes: str) -> Palette:
    c = [rgb(code) for code in codes.split()]
    return Palette(name, tuple(words.split()), night, (c[0], c[1], c[2]), (c[3], c[4], c[5]), (c[6], c[7]), c[8], c[9])


PALETTES: tuple[Palette, ...] = (
    _palette("sunset", "orange pink", False, "f25f5c f78e69 ffe0a3 c8553d 8f2d56 4a1942 ffe066 247ba0 2b1233 fff4dc"),
    _palette("lagoon", "teal cream", False, "1b998b 6fd0c0 f4f1de 2e8b8b 17616b 0b3c49 e07a5f f2cc8f 0b2b36 fdf8e8"),
    _palette("midnight", "blue violet", True, "0b1d51 263b80 725ac1 33367e 1d1e4f 0d0d2b ffca3a ff6f91 08081f f3efff"),
    _palette("rose", "pink red", False, "f7aef8 fbc4d9 fff0e6 d6638f a53860 61173b ef476f ffd166 3a0b27 fff5f3"),
    _palette("meadow", "green yellow", False, "9ad1d4 d7efc5 fdf6c3 7fb069 4c8a4f 22553a f4a259 e4572e 14352a fffbe6"),
    _palette("ember", "red black", True, "2a0a12 7a1421 e4572e 571622 370d18 16060d ffb627 f2e8cf 120409 fff1dc"),
    _palette("ice", "blue white", False, "5aa9e6 a9d6f5 f4fbff 8fb8de 5d86b8 2f4b7c ff6392 ffe45e 182848 ffffff"),
    _palette("desert", "sand orange", False, "f3b562 f8d49a fcefd0 dd8b4c b65d33 73341f 3d8b83 d1495b 40190d fff6e2"),
    _palette("neon", "purple cyan", True, "240046 5a189a c77dff 3c096c 240046 10002b 00f5d4 f15bb5 0a001d f5f0ff"),
    _palette("mint", "mint coral", False, "b8f2e6 d7f7ee fffaf0 74c7b8 3f9c93 1f5d63 ff6f61 ffc857 123c41 ffffff"),
    _palette("slate", "grey mustard", False, "7d8ca3 b4bfcc e9e6df 7a8699 525e73 2c3445 e0a526 c8553d 1a202c faf7ef"),
    _palette("noir", "grey black", True, "14171f 3a404d 8b93a1 30353f 1e222b 0c0e13 e6e1d5 d7263d 08090c f7f5ef"),
    _palette("dawn", "peach lilac", False, "b8a9e0 f3c1c6 ffe8d1 a682b8 77568f 432f5d ff8c61 5ec2b7 291b3f fff8ef"),
    _palette("jade", "green gold", True, "03312e 0b6e4f 6bbf59 0a4f3f 073b33 021f1c f9c80e ff8552 01130f f6fbe9"),
    _palette("sky", "blue yellow", False, "2e86de 74b9ff dff3ff 4aa3c7 2f6f9f 1b3f66 ffd32a ff5e57 0f2742 fffdf0"),
    _palette("plum", "purple gold", True, "2d1e4f 6a3d7c d98f8f 4b2b63 331c48 190c28 f6c453 8fd3c1 12081e fdf3e7"),
)


def _colours(codes: str) -> tuple[Colour, ...]:
    return tuple(rgb(code) for code in codes.split())


SKINS = _colours("ffdfc4 f6c9a4 eab38a d79a6b b97a4b 945c36 70432a 4f2f20")
HAIRS = _colours("1d1a26 3b2418 5c3520 8a5227 b5702e e0b050 c2452d a9a7b0 ece7df 4a4e8c d95d8a")
HAIR_WORDS = ("black", "dark", "brown", "brown", "auburn", "blond", "red", "grey", "white", "blue", "pink")
CLOTHES = _colours(
    "d7263d f46036 f4a259 ffd166 6a994e 2a9d8f 1b998b 3d8bd4 2e4a8f 6d4c9f c06c9e 2b2d42 f2efe6 8d99ae 7a4b2a"
)
_CLOTHES_WORDS = "red orange orange yellow green teal teal blue navy purple pink black white grey brown"
CLOTHES_WORDS = tuple(_CLOTHES_WORDS.split())
