"""What a drawing is of, before it is drawn: titles, casts, who is with whom, and how they feel about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attune.labeler.sample.palettes import CLOTHES, HAIRS, PALETTES, SKINS
from attune.labeler.sample.titles import invent_titles

SETTINGS = ("city", "beach", "forest", "space", "room", "mountains", "desert", "stage", "sunburst", "garden")
PROPS = ("none", "boat", "balloon", "car", "cat", "house", "rocket")
HAIRSTYLES = ("short", "quiff", "bob", "long", "curls", "bun", "ponytail", "bald", "cap", "scarf", "fringe")
OUTFITS = ("tee", "shirt", "suit", "dress", "sweater", "hoodie")
TOUCHES = ("none", "hands", "embrace", "forehead", "shoulder", "high-five", "fist-bump")
STANCES = ("relaxed", "crossed", "hips", "pockets", "wave")
FLOATERS = ("none", "hearts", "sparkles", "notes", "bolt", "confetti")


@dataclass(frozen=True)
class Character:
    """One of a title's cast: what stays the same from image to image."""

    skin: int
    hair: int
    hairstyle: str
    outfit: str
    colour: int
    glasses: bool
    beard: bool
    brows: float
    build: float


@dataclass(frozen=True)
class Title:
    """An invented title: name, cast, palette, favourite settings, lettering; ``mood`` and ``tie`` lean its images."""

    title_id: str
    name: str
    cast: tuple[Character, ...]
    palette: int
    settings: tuple[str, ...]
    lettering: int
    mood: float
    tie: str


@dataclass(frozen=True)
class Pose:
    """One person in one image: ``mood`` 0 laughing to 1 stern, ``yaw`` and ``gaze`` -1 left to 1, ``tilt`` degrees."""

    character: Character
    mood: float
    yaw: float
    gaze: float
    tilt: float
    stance: str
    eyes: str


@dataclass(frozen=True)
class Scene:
    """One image: the latent values (all in 0-1) and everything that is drawn from them."""

    asset_id: str
    title: Title
    kind: str
    setting: str
    palette: int
    prop: str
    poses: tuple[Pose, ...]
    serious: float
    romance: float
    friendship: float
    closeness: float
    touch: str
    floaters: str
    title_at: str
    seed: tuple[int, ...]

    @property
    def people(self) -> int:
        """How many people are drawn, 0-4."""
        return len(self.poses)


def serious_class(serious: float, people: int, threshold: float = 0.5) -> str:
    """``serious`` where someone is drawn and the faces together are at least as serious as ``threshold``."""
    return "serious" if people and serious >= threshold else "not serious"


def romance_class(romance: float, friendship: float, threshold: float = 0.5) -> str:
    """``romance``, ``friendship`` or ``neither``: the stronger of the two, if it reaches ``threshold``."""
    if max(romance, friendship) < threshold:
        return "neither"
    return "romance" if romance >= friendship else "friendship"


def _choose(rng: np.random.Generator, options: tuple[str, ...], weights: tuple[float, ...]) -> str:
    return options[int(rng.choice(len(options), p=np.array(weights) / sum(weights)))]


def _character(rng: np.random.Generator) -> Character:
    style = HAIRSTYLES[int(rng.integers(len(HAIRSTYLES)))]
    beardable = style in ("short", "quiff", "bald", "cap", "curls")
    return Character(
        skin=int(rng.integers(len(SKINS))),
        hair=int(rng.choice(len(HAIRS), p=_HAIR_WEIGHTS)),
        hairstyle=style,
        outfit=OUTFITS[int(rng.integers(len(OUTFITS)))],
        colour=int(rng.integers(len(CLOTHES))),
        glasses=bool(rng.random() < 0.18),
        beard=bool(beardable and rng.random() < 0.3),
        brows=float(rng.uniform(0.8, 1.3)),
        build=float(rng.uniform(0.9, 1.12)),
    )


_HAIR_WEIGHTS = np.array([6, 4, 4, 3, 2, 3, 2, 2, 1, 1, 1]) / 29


def draw_title(seed: int, index: int, name: str) -> Title:
    """The ``index``-th title of a catalogue."""
    rng = np.random.default_rng([seed, index, 1])
    picked = rng.choice(len(SETTINGS), size=3, replace=False)
    return Title(
        title_id=f"t{index:04d}",
        name=name,
        cast=tuple(_character(rng) for _ in range(4)),
        palette=int(rng.integers(len(PALETTES))),
        settings=tuple(SETTINGS[int(i)] for i in picked),
        lettering=int(rng.integers(1 << 30)),
        mood=float(rng.beta(0.8, 0.9)),
        tie=_choose(rng, ("lovers", "friends", "rivals", "strangers", "unsaid"), (0.31, 0.31, 0.16, 0.14, 0.08)),
    )


def _tie_values(rng: np.random.Generator, tie: str) -> tuple[float, float]:
    """Romance and friendship of a pair, each in 0-1."""
    high, low = float(rng.uniform(0.55, 1.0)), float(rng.uniform(0.0, 0.4))
    if tie == "lovers":
        return high, low
    if tie == "friends":
        return low, high
    if tie == "unsaid":
        return float(rng.uniform(0.35, 0.7)), float(rng.uniform(0.35, 0.7))
    return float(rng.uniform(0.0, 0.32)), float(rng.uniform(0.0, 0.32 if tie == "rivals" else 0.4))


def _touch(rng: np.random.Generator, romance: float, friendship: float) -> str:
    if romance >= friendship and rng.random() < 1.1 * romance - 0.15:
        return _choose(rng, ("hands", "embrace", "forehead", "shoulder"), (0.36, 0.27, 0.29, 0.08))
    if friendship > romance and rng.random() < 1.0 * friendship - 0.1:
        return _choose(rng, ("shoulder", "high-five", "fist-bump", "hands"), (0.42, 0.27, 0.25, 0.06))
    return "none"


def _floaters(rng: np.random.Generator, romance: float, friendship: float, rivals: bool) -> str:
    """Decorations that go with a mood now and then, and turn up where they mean nothing too."""
    if rng.random() < 0.12:
        return _choose(rng, FLOATERS[1:], (1, 2, 1, 1, 2))
    if rng.random() < 0.34 * romance:
        return "hearts"
    if rng.random() < 0.16 * friendship:
        return _choose(rng, ("confetti", "notes", "sparkles"), (1, 1, 1))
    return "bolt" if rivals and rng.random() < 0.22 else "none"


def _facing(
    rng: np.random.Generator, left: int, romance: float, friendship: float, rivals: bool
) -> tuple[float, float]:
    """Yaw and gaze of one of a pair; ``left`` is 1 for who stands on the left and looks right to see the other."""
    warmth = max(romance, friendship)
    if rivals:
        how = _choose(rng, ("each-other", "away", "viewer"), (0.4, 0.4, 0.2))
    elif romance >= friendship:
        how = _choose(rng, ("each-other", "away", "viewer"), (0.2 + 0.7 * romance, 0.6 * (1 - warmth), 0.2))
    else:
        how = _choose(rng, ("each-other", "away", "viewer"), (0.3, 0.6 * (1 - warmth), 0.35 + 0.4 * friendship))
    turn = {"each-other": 1.0, "away": -1.0, "viewer": 0.0}[how] * left
    return turn * float(rng.uniform(0.65, 1.0)) + float(rng.normal(0, 0.08)), turn * float(rng.uniform(0.6, 1.0))


def _mood(rng: np.random.Generator, serious: float) -> float:
    return float(np.clip(serious + rng.normal(0, 0.09), 0.0, 1.0))


def _eyes(rng: np.random.Generator, mood: float, touch: str) -> str:
    if touch == "forehead" and rng.random() < 0.6:
        return "closed"
    return "happy" if mood < 0.32 and rng.random() < 0.75 else "open"


def _poses(
    rng: np.random.Generator, cast: list[Character], serious: float, tie: tuple[float, float], rivals: bool, touch: str
) -> tuple[Pose, ...]:
    romance, friendship = tie
    poses = []
    for place, character in enumerate(cast):
        side = 1 if place < len(cast) / 2 else -1
        if len(cast) == 1:
            yaw, gaze = float(rng.uniform(-0.8, 0.8)), float(rng.uniform(-0.7, 0.7))
        else:
            yaw, gaze = _facing(rng, side, romance, friendship, rivals)
        if touch == "forehead" and len(cast) == 2:
            yaw, gaze = side * 1.0, side * 0.9
        lean = 0.0 if len(cast) == 1 else side * (9 * romance + 4 * friendship - 3)
        mood = _mood(rng, serious)
        cold = 0.5 if rivals else 0.12 + 0.15 * (1 - max(tie))
        stance = (
            "crossed" if rng.random() < cold else _choose(rng, ("relaxed", "hips", "pockets", "wave"), (5, 1.5, 2, 0.8))
        )
        poses.append(Pose(character, mood, yaw, gaze, lean + float(rng.normal(0, 3)), stance, _eyes(rng, mood, touch)))
    return tuple(poses)


def draw_scene(title: Title, index: int, seed: int) -> Scene:
    """The ``index``-th image of a title: its latent values, then what they lead to."""
    key = (seed, int(title.title_id[1:]), index, 2)
    rng = np.random.default_rng(list(key))
    people = int(rng.choice(5, p=[0.09, 0.22, 0.48, 0.13, 0.08]))
    tie_name = (
        title.tie
        if rng.random() < 0.6
        else _choose(rng, ("lovers", "friends", "rivals", "strangers"), (0.3, 0.3, 0.2, 0.2))
    )
    if people > 2 and tie_name == "lovers" and rng.random() < 0.7:
        tie_name = "friends"
    tie = _tie_values(rng, tie_name) if people > 1 else (0.0, 0.0)
    rivals = tie_name == "rivals" and people > 1
    touch = _touch(rng, *tie) if people > 1 else "none"
    if people > 2 and touch == "forehead":
        touch = "embrace"
    serious = float(np.clip(0.45 * title.mood + 0.55 * rng.beta(0.55, 0.6) + rng.normal(0, 0.03), 0, 1))
    order = rng.permutation(4)[:people]
    poses = _poses(rng, [title.cast[int(i)] for i in order], serious, tie, rivals, touch)
    close = 0.1 + 0.8 * tie[0] + 0.45 * tie[1] * (1 - tie[0]) + rng.normal(0, 0.09)
    kind = "poster" if rng.random() < 0.55 else "wide"
    return Scene(
        asset_id=f"{title.title_id}-{index + 1}",
        title=title,
        kind=kind,
        setting=title.settings[int(rng.integers(3))],
        palette=title.palette if rng.random() < 0.6 else int(rng.integers(len(PALETTES))),
        prop=PROPS[int(rng.integers(1, len(PROPS)))] if people == 0 or rng.random() < 0.12 else "none",
        poses=poses,
        serious=float(np.mean([p.mood for p in poses])) if poses else 0.0,
        romance=tie[0],
        friendship=tie[1],
        closeness=float(np.clip(close, 0.0, 1.0)),
        touch=touch,
        floaters=_floaters(rng, *tie, rivals),
        title_at=_choose(rng, ("bottom", "top"), (3, 2))
        if kind == "poster"
        else _choose(rng, ("left", "right", "bottom"), (2, 2, 1)),
        seed=(*key, 3),
    )


def draw_scenes(seed: int, n_images: int) -> list[Scene]:
    """``n_images`` scenes of as many titles as it takes, two to five images each."""
    counts = np.random.default_rng([seed, 0]).integers(2, 6, size=n_images)
    n_titles = int(np.searchsorted(np.cumsum(counts), n_images)) + 1
    names = invent_titles(n_titles, np.random.default_rng([seed, 4]))
    scenes: list[Scene] = []
    for number, name in enumerate(names):
        title = draw_title(seed, number, name)
        scenes += [draw_scene(title, i, seed) for i in range(int(counts[number]))]
    return scenes[:n_images]
