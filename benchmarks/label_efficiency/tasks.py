"""The questions of the benchmark: a file's pool and test split, one attribute, and the labels all start with."""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

START_POSITIVES, START_RANDOM = 3, 17


@dataclass(frozen=True, eq=False)
class Task:
    """One attribute: ``pool`` (n, d) and ``test`` (m, d) float32 unit rows, ``y`` (n,) and ``y_test`` (m,) in {0, 1}.

    ``titles`` (n,) of the pool; ``others`` (a, n) are its answers to the file's other attributes; ``half`` is the pool
    as stored, float16. The splits share no title.
    """

    name: str
    pool: npt.NDArray[np.float32]
    half: npt.NDArray[np.float16]
    titles: npt.NDArray[np.str_]
    y: npt.NDArray[np.intp]
    others: npt.NDArray[np.intp]
    test: npt.NDArray[np.float32]
    y_test: npt.NDArray[np.intp]

    def start(self, seed: int) -> npt.NDArray[np.intp]:
        """The 20 images that every method starts with: 3 positives, then 17 at random, the same for the same seed."""
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        positives = rng.choice(np.flatnonzero(self.y), START_POSITIVES, replace=False)
        rest = np.setdiff1d(np.arange(len(self.y)), positives)
        return np.concatenate([positives, rng.choice(rest, START_RANDOM, replace=False)])


@functools.lru_cache(maxsize=4)
def _load(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in ("title_ids", "vectors", "labels", "label_names", "split")}


def attributes(path: Path) -> list[str]:
    """The names of the file's attributes."""
    return [str(name) for name in _load(path)["label_names"]]


@functools.lru_cache(maxsize=4)
def load(path: Path, attribute: str) -> Task:
    """The task of one attribute of one ``.npz`` in the format of the benchmark's data."""
    data = _load(path)
    every, mine = np.asarray(data["labels"]).T.astype(np.intp), attributes(path).index(attribute)
    labels = every[mine]
    pool, test = np.asarray(data["split"]) == 0, np.asarray(data["split"]) == 1
    half = np.asarray(data["vectors"], dtype=np.float16)
    return Task(
        name=attribute,
        pool=_unit(half[pool]),
        half=half[pool],
        titles=np.asarray(data["title_ids"])[pool],
        y=labels[pool],
        others=np.delete(every, mine, axis=0)[:, pool],
        test=_unit(half[test]),
        y_test=labels[test],
    )


def _unit(vectors: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    wide = vectors.astype(np.float32)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)
