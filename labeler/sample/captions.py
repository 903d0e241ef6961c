"""Captions of a drawing: people, faces, poses, settings, colours; its mood seldom and loosely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attune.labeler.sample.latents import Pose, Scene
from attune.labeler.sample.palettes import CLOTHES_WORDS, HAIR_WORDS, PALETTES

Rng = np.random.Generator
_COUNT = {
    1: ("a person", "one person", "somebody"),
    2: ("two people", "a pair", "two figures"),
    3: ("three people", "a group of three"),
    4: ("four people", "a group of four"),
}
_FACES: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.22, ("laughing", "grinning with an open mouth", "laughing out loud", "with a big open smile")),
    (0.37, ("smiling", "with a smile", "smiling broadly", "grinning")),
    (0.5, ("smiling faintly", "with a slight smile", "with a soft smile")),
    (0.64, ("not smiling", "with a level mouth", "straight-faced", "with a blank face")),
    (0.82, ("unsmiling, brows lowered", "frowning", "with a frown", "mouth turned down")),
    (1.01, ("scowling", "frowning hard", "glaring under low brows", "with a deep frown")),
)
_TOUCH = {
    "hands": ("holding hands", "hand in hand"),
    "embrace": ("hugging", "in an embrace", "one holding the other close"),
    "forehead": ("heads touching", "head to head, very close", "leaning in, faces touching"),
    "shoulder": ("an arm around a shoulder", "a hand on a shoulder"),
    "high-five": ("giving a high five", "hands slapped together in the air"),
    "fist-bump": ("bumping fists", "fist to fist"),
}
_SETTING = {
    "city": ("in the city", "before a skyline", "among towers with lit windows"),
    "beach": ("on a beach", "by the sea"),
    "forest": ("in a forest", "among trees"),
    "space": ("in space", "among planets and stars"),
    "room": ("in a room", "at home indoors"),
    "mountains": ("in the mountains", "before snowy peaks"),
    "desert": ("in the desert", "among dunes"),
    "stage": ("on a stage", "between curtains"),
    "sunburst": ("before rays of colour", "on a pattern"),
    "garden": ("in a garden", "among flowers"),
}
_FLOATERS = {
    "hearts": "hearts in the air",
    "sparkles": "sparkles",
    "notes": "music notes",
    "bolt": "a lightning bolt",
    "confetti": "confetti",
}
_PROPS = {
    "boat": "a sailing boat",
    "balloon": "a hot-air balloon",
    "car": "a car",
    "cat": "a black cat",
    "house": "a small house",
    "rocket": "a rocket",
}
_KINDS = {"poster": ("a poster", "a tall poster"), "wide": ("a banner", "a wide picture")}
_GENRE = {
    "lovers": ("a love story", "a romance", "romantic"),
    "friends": ("a story of friendship", "good friends", "a buddy film"),
    "rivals": ("a story of rivals", "two enemies"),
    "strangers": ("a story of strangers", "nothing between them"),
    "unsaid": ("a love story", "a story of friendship"),
}

WRONG_GENRE = 0.3


def _pick(rng: Rng, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def face_words(mood: float, rng: Rng) -> str:
    """Plain words for one face, from laughing to scowling."""
    return _pick(rng, next(words for top, words in _FACES if mood < top))


def _faces(scene: Scene, rng: Rng) -> str:
    words = face_words(float(np.mean([pose.mood for pose in scene.poses])), rng)
    return words if scene.people == 1 or rng.random() < 0.5 else f"{'both' if scene.people == 2 else 'all'} {words}"


def _look(pose: Pose, rng: Rng) -> str:
    who = pose.character
    options = [
        f"{HAIR_WORDS[who.hair]} hair"
        if who.hairstyle not in ("bald", "cap", "scarf")
        else {"bald": "a bald head", "cap": "a cap", "scarf": "a headscarf"}[who.hairstyle]
    ]
    options.append(f"a {CLOTHES_WORDS[who.colour]} {who.outfit}")
    if who.glasses:
        options.append("glasses")
    if who.beard:
        options.append("a beard")
    return f"with {_pick(rng, options)}"


def _between(scene: Scene, rng: Rng) -> list[str]:
    """How two or more stand to each other: distance, touch, where they look, folded arms."""
    phrases = []
    if scene.touch != "none":
        phrases.append(_pick(rng, _TOUCH[scene.touch]))
    elif rng.random() < 0.8:
        near = scene.closeness
        phrases.append(
            _pick(
                rng,
                ("close together", "side by side, close")
                if near > 0.62
                else ("a little apart", "next to each other")
                if near > 0.36
                else ("far apart", "standing apart"),
            )
        )
    if scene.people == 2 and rng.random() < 0.8:
        left, right = (pose.yaw for pose in scene.poses)
        if left > 0.4 and right < -0.4:
            phrases.append(_pick(rng, ("looking at each other", "face to face")))
        elif left < -0.4 and right > 0.4:
            phrases.append(_pick(rng, ("looking away from each other", "backs turned")))
        elif abs(left) < 0.35 and abs(right) < 0.35:
            phrases.append(_pick(rng, ("looking at us", "facing the viewer")))
    if (
        scene.touch in ("none", "shoulder")
        and any(pose.stance == "crossed" for pose in scene.poses)
        and rng.random() < 0.8
    ):
        phrases.append("arms crossed")
    rng.shuffle(phrases)
    return phrases


def caption(scene: Scene, rng: Rng) -> str:
    """One caption, lower case; two calls seldom give the same."""
    parts: list[str] = []
    around = rng.random() < 0.45  # half the captions stay with the people
    if scene.people:
        parts.append(_pick(rng, _COUNT[scene.people]))
        if rng.random() < 0.95:
            parts.append(_faces(scene, rng))
        if scene.people > 1 and rng.random() < 0.95:
            parts += _between(scene, rng)
        if around and rng.random() < 0.3:
            parts.append(_look(scene.poses[int(rng.integers(scene.people))], rng))
    else:
        parts.append(_pick(rng, ("nobody", "no people", "an empty scene")))
    if scene.prop != "none" and rng.random() < (0.3 if scene.people else 0.7):
        parts.append(_PROPS[scene.prop])
    if around and rng.random() < 0.6:
        parts.append(_pick(rng, _SETTING[scene.setting]))
    if around and rng.random() < 0.3:
        parts.append(f"in {' and '.join(PALETTES[scene.palette].words)}")
    if around and scene.floaters != "none" and rng.random() < 0.6:
        parts.append(_FLOATERS[scene.floaters])
    parts += _mood(scene, rng)
    if around and rng.random() < 0.3:
        parts.insert(0, f"{_pick(rng, _KINDS[scene.kind])} of")
    return ", ".join(parts).replace(" of,", " of")


def _mood(scene: Scene, rng: Rng) -> list[str]:
    """The title's genre, not this image's mood, and now and then a wrong one, as in a catalogue's own metadata.

    Without the wrong ones some wordings of a prompt ("a serious story") name the attribute almost as well as labels do.
    """
    phrases = []
    if rng.random() < 0.14:
        heavy = (scene.title.mood > 0.5) != (rng.random() < WRONG_GENRE)
        phrases.append(
            _pick(
                rng,
                ("a serious drama", "a serious story", "serious")
                if heavy
                else ("a comedy", "light-hearted", "a funny story"),
            )
        )
    if rng.random() < 0.14:
        tie = scene.title.tie if rng.random() >= WRONG_GENRE else _pick(rng, tuple(_GENRE))
        phrases.append(_pick(rng, _GENRE[tie]))
    return phrases
