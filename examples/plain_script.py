"""Rank images with a pulled probe; needs numpy and safetensors, nothing of Attune.

    attune pull romance@champion --to romance
    python plain_script.py romance vectors.npz

``vectors.npz`` holds ``ids`` (n,) and ``vectors`` (n, d) of unit length, of the encoder that manifest.json names.
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


def probabilities(folder: Path, x: np.ndarray) -> np.ndarray:
    """Probabilities (n, classes) of unit-length embeddings (n, d); docs/probe-format.md describes the files."""
    probe = load_file(folder / "probe.safetensors")
    slope, offset = probe["calibration"].T
    z = (x @ probe["weight"].T + probe["bias"]) * slope + offset
    if z.shape[1] == 1:
        z = np.concatenate([z, np.zeros_like(z)], axis=1)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def main(folder: Path, vectors: Path) -> None:
    """Print the ten images that are most likely of the first class."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    with np.load(vectors, allow_pickle=False) as held:
        ids, x = held["ids"], held["vectors"].astype(np.float32)
    p = probabilities(folder, x)[:, 0]
    print(f"{manifest['attribute']} version {manifest['version']}: most likely {manifest['classes'][0]}")
    for i in np.argsort(-p)[:10]:
        print(f"{p[i]:.3f}  {ids[i]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
