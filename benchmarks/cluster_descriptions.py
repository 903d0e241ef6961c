"""What clusters are said to have in common, where the truth is known: ``python -m benchmarks.cluster_descriptions``.

The sample catalogue's images (their truth alone, nothing is painted) and the answers of its three simulated experts,
each image asked once. *Planted*: one cluster is filled with images of one class (``--pure`` of
them), and the other clusters share the rest at random. Is that class the first thing that the description says? *Null*:
titles of equal size swap their answers, so no difference is real. How many differences are reported, and in how many
runs is there one? *Cost*: the comparisons alone, without the records, on ``--pool`` images of four to a title in
24 clusters, with 40 values of columns that all images have and 12 classes that 2,000 images each have an answer for.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import tracemalloc
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attune.labeler.sample import stock_experts
from attune.labeler.sample.catalogue import Catalogue, truth_of
from attune.labeler.sample.latents import draw_scenes
from attune.labeler.sample.questions import ATTRIBUTES
from attune.models.descriptions.enrichment import Trait, describe, most_telling
from attune.models.evaluation.intervals import share_interval
from benchmarks.machine import machine
from benchmarks.printed import print_rows

SIZES = (60, 130)  # images of a planted cluster; 130 is the mean of twelve clusters of 1,600 images
CLUSTERS = 12
PARTS = PLANTED, NULL, COST = "planted", "null", "cost"


def main() -> None:
    """Measure, print a table, and write ``--json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1600)
    parser.add_argument("--answers", type=int, default=800, help="images that are answered for each attribute")
    parser.add_argument("--runs", type=int, default=200, help="planted clusters, and permutations")
    parser.add_argument("--pure", type=float, default=0.9)
    parser.add_argument("--pool", type=int, default=200_000)
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part; may be given several times")
    parser.add_argument("--json", type=Path, help="file to write; parts that it has and that are not made stay")
    options = parser.parse_args()
    world, parts = World(options.images), options.part or PARTS
    found: dict[str, Any] = {}
    if PLANTED in parts:
        ways = [(size, name) for size in SIZES for name in world.classes]
        found[PLANTED] = [planted(world, options.answers, options.runs, options.pure, *way) for way in ways]
        print_rows(found[PLANTED])
    if NULL in parts:
        found[NULL] = null(world, options.answers, options.runs)
        print_rows([found[NULL]])
    if COST in parts:
        found[COST] = cost(options.pool) | {"load": round(os.getloadavg()[0], 1)}
        print_rows([found[COST]])
    if options.json:
        said = {key: value for key, value in vars(options).items() if key not in ("json", "part")}
        before = json.loads(options.json.read_bytes()) if options.json.is_file() else {}
        if parts == [COST]:  # its row says how large the pool was; the options are of the other parts
            said = before.get("options", {})
        written = before | found | {"machine": machine(), "options": said}
        options.json.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


class World:
    """The catalogue's images in order: titles, the true class of each, and what an expert would answer."""

    def __init__(self, images: int) -> None:
        scenes = draw_scenes(7, images)
        truths = {scene.asset_id: truth_of(scene) for scene in scenes}
        self.titles = [truth.title_id for truth in truths.values()]
        experts = stock_experts(Catalogue(Path(), truths))
        self.truth: Mapping[str, NDArray[np.str_]] = {
            one.name: np.array([truth.value(one.name) for truth in truths.values()]) for one in ATTRIBUTES
        }
        self.answers: Mapping[str, NDArray[np.str_]] = {
            one.name: np.array([experts[place % 3].answer(one.name, asset) for place, asset in enumerate(truths)])
            for one in ATTRIBUTES
        }
        self.classes = [(name, value) for name, values in self.truth.items() for value in sorted(set(values))]

    def traits(self, rng: np.random.Generator, answers: int, order: NDArray[np.intp] | None = None) -> list[Trait]:
        """One trait for each class that experts chose; ``answers`` images at random are answered."""
        made = []
        for name, values in self.answers.items():
            said = values if order is None else values[order]
            asked = np.zeros(len(said))
            asked[rng.choice(len(said), min(answers, len(said)), replace=False)] = 1
            asked[np.isin(said, ["skip", "unsure"])] = 0
            made += [Trait(f"{name}: {value}", said == value, asked) for value in sorted(set(self.truth[name]))]
        return made


def planted(
    world: World, answers: int, runs: int, pure: float, size: int, planted_class: tuple[str, str]
) -> dict[str, Any]:
    """How often the planted class is the first thing said, and how often nothing is."""
    name, value = planted_class
    first: Counter[str] = Counter()
    for run in range(runs):
        rng = np.random.default_rng([run, 1])
        groups = rng.integers(1, CLUSTERS, len(world.titles))
        inside, outside = (np.flatnonzero((world.truth[name] == value) == held) for held in (True, False))
        many = round(size * pure)
        groups[rng.choice(inside, min(many, len(inside)), replace=False)] = 0
        groups[rng.choice(outside, size - many, replace=False)] = 0
        said = most_telling(describe(groups, world.titles, world.traits(rng, answers)), 0)
        first[said[0].trait if said else "nothing"] += 1
    right = first[f"{name}: {value}"]
    lo, hi = share_interval(right, runs)
    others = {key: count for key, count in first.most_common() if key != f"{name}: {value}"}
    frequent = float((world.truth[name] == value).mean())
    return {
        "planted": f"{name}: {value}", "size": size, "share of pool": frequent, "first": right / runs,
        "lo": lo, "hi": hi, "n": runs, "else": json.dumps(others),
    }  # fmt: skip


def null(world: World, answers: int, runs: int) -> dict[str, Any]:
    """Half of a title's images share a group, and titles of equal size swap their answers: no difference is real."""
    told = alarms = tests = 0
    for run in range(runs):
        rng = np.random.default_rng([run, 2])
        groups = rng.integers(0, CLUSTERS, len(world.titles))
        of_title = _groups_alike(world.titles, rng)
        groups = np.where(rng.random(len(groups)) < 0.5, of_title, groups)
        found = describe(groups, world.titles, world.traits(rng, answers, _dealt(world.titles, rng)))
        differences = sum(one.differs for one in found)
        told, alarms, tests = (
            told + differences,
            alarms + (differences > 0),
            tests + sum(one.p is not None for one in found),
        )
    lo, hi = share_interval(alarms, runs)
    return {
        "runs": runs,
        "tests a run": tests / runs,
        "differences told": told,
        "false share": alarms / runs,
        "lo": lo,
        "hi": hi,
    }


def cost(images: int, clusters: int = 24, values: int = 40, classes: int = 12, answered: int = 2_000) -> dict[str, Any]:
    """Processor seconds and memory (tracemalloc, in a second run) of all comparisons."""
    rng = np.random.default_rng(5)
    groups, titles = rng.integers(0, clusters, images), [f"t{place // 4}" for place in range(images)]
    traits = []
    for number in range(values + classes):
        known = np.ones(images)
        if number >= values:
            known[:] = 0
            known[rng.choice(images, min(answered, images), replace=False)] = 1
        traits.append(Trait(str(number), rng.random(images) < 0.1 + 0.01 * number, known))
    began, cpu = time.perf_counter(), time.process_time()
    found = describe(groups, titles, traits)
    spent = {"processor_seconds": time.process_time() - cpu, "seconds": time.perf_counter() - began}
    tracemalloc.start()
    describe(groups, titles, traits[:4])
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return (
        {"images": images, "clusters": clusters, "tests": sum(one.p is not None for one in found)}
        | spent
        | {"peak_mib": peak}
    )


def _groups_alike(titles: Sequence[str], rng: np.random.Generator) -> NDArray[np.int64]:
    """One group for each title: half of a title's images lie together, as they do in a pool."""
    _, title = np.unique(np.asarray(titles), return_inverse=True)
    return np.asarray(rng.integers(0, CLUSTERS, title.max() + 1)[title.reshape(-1)])


def _dealt(titles: Sequence[str], rng: np.random.Generator) -> NDArray[np.intp]:
    """For each image, whose answer it gets: titles of as many images change places as a whole."""
    _, title = np.unique(np.asarray(titles), return_inverse=True)
    title = title.reshape(-1)
    rows = [np.flatnonzero(title == one) for one in range(title.max() + 1)]
    order = np.empty(len(titles), dtype=np.intp)
    for size in {len(one) for one in rows}:
        alike = [one for one in rows if len(one) == size]
        for target, source in zip(alike, rng.permutation(len(alike)), strict=True):
            order[target] = alike[source]
    return order


if __name__ == "__main__":
    main()
