"""What processes of test_vector_store.py write; a module of its own, which such a process loads in a fifth of the time.

As a program it writes until it is killed, and prints each number once all of it is in the store.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.vector_store import VectorStore

FEW = Fingerprint("test", "few", "w", 8)


def vectors_of(ids: Sequence[str], dimension: int = 8) -> npt.NDArray[np.float32]:
    """A unit vector for each id, always the same for the same id."""
    rows = [np.random.default_rng(int.from_bytes(id_.encode()) % 2**63).normal(size=dimension) for id_ in ids]
    matrix = np.asarray(rows, dtype=np.float32).reshape(len(ids), dimension)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def append_many(folder: str, worker: int) -> None:
    """Twelve times an id of this worker's own and one that all write."""
    store = VectorStore(Path(folder))
    for number in range(12):
        ids = [f"{worker}-{number}", f"shared-{number}"]
        store.append(FEW, ids, vectors_of(ids))


def write_on(folder: str, start: int) -> None:
    """Of each number two ids stay and one is removed; every fifth merges the files."""
    store = VectorStore(Path(folder))
    for number in range(start, start + 10_000):
        ids = [f"{number}-a", f"{number}-b", f"{number}-gone"]
        store.append(FEW, ids, vectors_of(ids))
        store.remove([ids[2]])
        if number % 5 == 0:
            store.compact(FEW)
        print(number, flush=True)


if __name__ == "__main__":
    write_on(sys.argv[1], int(sys.argv[2]))
