"""Whether the words of clusters are true, where each image is known: ``python -m benchmarks.cluster_words``.

Catalogues of the sample, drawn with seeds of their own, embedded by the sample's encoder, and cut into clusters as the
job `clusters` does it. A cluster's first words are *right* where what they say holds for at least half of its images
and is at least 1.5 times as frequent there as in the rest. Words for what no drawing shows (a glass of wine) are wrong.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attune.labeler.sample.catalogue import write_catalogue
from attune.labeler.sample.known_words import known
from attune.labeler.sample.latents import Scene, draw_scenes
from attune.labeler.sample.palettes import HAIR_WORDS, PALETTES
from attune.labeler.sample.report import embed, load_encoder
from attune.models.descriptions import phrases
from attune.models.evaluation.intervals import share_interval
from attune.models.spaces.clustering import cluster, project
from attune.models.vectors.pool import Pool
from benchmarks.machine import machine
from benchmarks.printed import print_rows

KS = (8, 12, 16, 24)
FIRST_SEED = 201  # `phrases` was tuned on 101 and 102
HALF, TIMES = 0.5, 1.5
METHODS = ("halves", "evidence")  # as names were given before 2026-11-28, and as they are given since
Shows = Callable[[Scene], bool]


def _setting(name: str) -> Shows:
    return lambda scene: scene.setting == name


def _prop(name: str) -> Shows:
    return lambda scene: scene.prop == name


def _people(count: int) -> Shows:
    return lambda scene: scene.people == count


def _palette(word: str) -> Shows:
    return lambda scene: word in PALETTES[scene.palette].words


def _touch(name: str) -> Shows:
    return lambda scene: scene.touch == name


def _mood(low: float, high: float) -> Shows:
    return lambda scene: bool(scene.people) and low <= scene.serious < high


def _hair(word: str) -> Shows:
    return lambda scene: any(HAIR_WORDS[pose.character.hair] == word for pose in scene.poses)


def _facing(scene: Scene) -> bool:
    return scene.people == 2 and scene.poses[0].yaw > 0.4 and scene.poses[1].yaw < -0.4


PLACES = {
    "city": "a city|a skyline|a city at night|a street", "beach": "a beach|the sea|an island|summer",
    "forest": "a forest|a dark forest|a tree", "space": "outer space|a planet|a starry sky",
    "room": "a living room|a lamp", "mountains": "a mountain|a snowy landscape|winter", "desert": "a desert",
    "stage": "a theatre stage|a concert", "garden": "a garden|flowers|blossoms|a meadow|spring",
    "sunburst": "a pattern",
}  # fmt: skip
PROPS = {"boat": "a boat|a ship", "balloon": "a hot-air balloon", "car": "a car", "cat": "a cat", "house": "a house",
         "rocket": "a rocket"}  # fmt: skip
COLOURS = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "grey")
SHOWN: Mapping[str, Shows] = (
    {phrase: _setting(name) for name, some in PLACES.items() for phrase in some.split("|")}
    | {phrase: _prop(name) for name, some in PROPS.items() for phrase in some.split("|")}
    | {colour: _palette(colour) for colour in COLOURS}
    | {"nobody": _people(0), "one person": _people(1), "two people": _people(2), "a couple": _people(2),
       "three people": _people(3), "four people": _people(4), "an embrace": _touch("embrace"),
       "people holding hands": _touch("hands"), "two faces side by side": _people(2), "a laugh": _mood(0, 0.3),
       "an open mouth": _mood(0, 0.3), "funny": _mood(0, 0.3), "two people facing each other": _facing,
       "crossed arms": lambda scene: any(pose.stance == "crossed" for pose in scene.poses),
       "a face looking away": lambda scene: any(abs(pose.yaw) > 0.4 for pose in scene.poses),
       "glasses": lambda scene: any(pose.character.glasses for pose in scene.poses),
       "red hair": _hair("red"), "blond hair": _hair("blond"), "grey hair": _hair("grey"),
       "people laughing together": _mood(0, 0.4),
       "a smile": _mood(0, 0.5), "a serious face": _mood(0.5, 2), "a frown": _mood(0.6, 2),
       "an angry face": _mood(0.7, 2), "a heart": lambda scene: scene.floaters == "hearts",
       "lightning": lambda scene: scene.floaters == "bolt", "a balloon": _prop("balloon"),
       "romantic": lambda scene: scene.romance >= 0.5,
       "friends": lambda scene: scene.friendship >= 0.5, "orange and teal": _palette("orange"),
       "dark and shadowy": lambda scene: PALETTES[scene.palette].night,
       "night": lambda scene: PALETTES[scene.palette].night}
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What was said of the clusters of one catalogue: how many were named, rightly, and with a name of their own."""

    method: str
    seed: int
    k: int
    clusters: int
    named: int
    right: int
    names_shared: int
    wrong: str


def main() -> None:
    """Measure, print a table, and write ``--json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--catalogues", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.catalogues)
    rows = [row for seed in seeds for row in measured(*world(seed, options.images), seed)]
    print_rows([asdict(row) for row in rows])
    summary = [{"method": method} | summed([row for row in rows if row.method == method]) for method in METHODS]
    print_rows(summary)
    if options.json:
        found = {"rows": [asdict(row) for row in rows], "summary": summary, "machine": machine()}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def summed(rows: Sequence[Row]) -> dict[str, Any]:
    """All clusters together; the interval takes each as independent, which clusters of one catalogue are not."""
    clusters, named, right = (sum(getattr(row, name) for row in rows) for name in ("clusters", "named", "right"))
    lo, hi = share_interval(right, max(1, named))
    return {
        "clusters": clusters, "named": named, "right": right, "share right": right / max(1, named), "lo": lo, "hi": hi,
        "names shared": sum(row.names_shared for row in rows),
    }  # fmt: skip


def world(seed: int, images: int) -> tuple[list[Scene], NDArray[np.float32], NDArray[np.float32]]:
    """The scenes of a catalogue, its vectors, and the vectors of the vocabulary."""
    import torch

    encoder = load_encoder()
    with tempfile.TemporaryDirectory() as folder:
        vectors, _ = embed(write_catalogue(Path(folder), images, seed), encoder)
    with torch.inference_mode():
        words = encoder[0].encode_text(encoder[2](list(phrases.vocabulary())), normalize=True).numpy()
    return draw_scenes(seed, images), vectors, words


def measured(scenes: Sequence[Scene], vectors: NDArray[np.float32], words: NDArray[np.float32], seed: int) -> list[Row]:
    """A row of each method for each number of clusters; ``words`` are the vectors of the vocabulary."""
    vocabulary, mean = phrases.vocabulary(), vectors.mean(axis=0)
    seen = known(vocabulary)
    seen_words = words[np.isin(vocabulary, seen)]
    titles = np.array([scene.title.title_id for scene in scenes])
    pool = Pool(np.array([scene.asset_id for scene in scenes]), titles, (vectors,))
    projected = project(pool, np.ones(len(scenes), dtype=np.bool_))
    rows = []
    for k in KS:
        labels = cluster(projected, k).labels
        groups = [np.flatnonzero(labels == one) for one in np.unique(labels)]
        made = [phrases.Group(vectors[group], titles[group].tolist()) for group in groups]
        of_group = np.searchsorted(np.unique(labels), labels)
        said = {
            "halves": [phrases.name(one.members, mean, vocabulary, words, one.titles) for one in made],
            "evidence": phrases.name_all(made, vectors, of_group, seen, seen_words),
        }
        rows += [_row(method, seed, k, said[method], scenes, groups) for method in METHODS]
    return rows


def _row(
    method: str, seed: int, k: int, said: Sequence[Sequence[str]], scenes: Sequence[Scene],
    groups: Sequence[NDArray[np.intp]],
) -> Row:  # fmt: skip
    first = {place: some[0] for place, some in enumerate(said) if some}
    right = {place for place, text in first.items() if _is_right(text, scenes, groups[place])}
    shared = len(first) - len(set(first.values()))
    wrong = ", ".join(sorted(text for place, text in first.items() if place not in right))
    return Row(method, seed, k, len(groups), len(first), len(right), shared, wrong)


def _is_right(text: str, scenes: Sequence[Scene], group: NDArray[np.intp]) -> bool:
    """Whether the first phrase of a name is true; what follows a comma tells the cluster from another one."""
    shows = SHOWN.get(text.partition(", ")[0])
    if shows is None:
        return False
    holds = np.array([shows(scene) for scene in scenes])
    inside = np.zeros(len(scenes), dtype=np.bool_)
    inside[group] = True
    share, rest = float(holds[inside].mean()), float(holds[~inside].mean())
    return share >= HALF and share >= TIMES * rest


if __name__ == "__main__":
    main()
