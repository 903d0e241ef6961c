"""Rank images with a pulled probe; needs numpy and safetensors, nothing of Attune.

    attune pull romance@champion --to romance
    attune embed ./new-posters --to vectors.parquet
    python plain_script.py romance vectors.parquet

The vectors are of unit length and of the encoder that manifest.json names: a Parquet file of ``attune embed`` (needs
pyarrow), or an ``.npz`` with ``ids`` (n,), ``vectors`` (n, d) and, if it is known, ``fingerprint`` (JSON).
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


def read(vectors: Path) -> tuple[list[str], np.ndarray, str | None]:
    """Ids, vectors float32 (n, d), and what the file says of its encoder."""
    if vectors.suffix == ".npz":
        with np.load(vectors, allow_pickle=False) as held:
            said = str(held["fingerprint"].reshape(-1)[0]) if "fingerprint" in held.files else None
            return held["ids"].tolist(), held["vectors"].astype(np.float32), said
    import pyarrow.parquet as pq

    table = pq.read_table(vectors)
    carried = (table.schema.metadata or {}).get(b"attune.fingerprint")
    x = np.stack(table["vector"].to_numpy()).astype(np.float32)
    return table["asset_id"].to_pylist(), x, carried.decode() if carried else None


def check(manifest: dict, x: np.ndarray, said: str | None) -> None:
    """End with a sentence where the vectors are of another encoder than the probe's."""
    encoder = manifest["encoder"]
    if said and (other := json.loads(said)) != encoder:
        which = f"of the encoder {other.get('model')} (weights {str(other.get('weights'))[:12]})"
    elif x.ndim != 2 or x.shape[1] != encoder["dimension"]:
        which = f"of the shape {x.shape}, so they are of another encoder"
    else:
        return
    raise SystemExit(
        f"The vectors are {which}. This probe needs those of {encoder['model']} (weights {encoder['weights'][:12]}), "
        f"which have {encoder['dimension']} numbers each. Make them there: attune embed PATH --to vectors.parquet"
    )


def probabilities(folder: Path, x: np.ndarray) -> np.ndarray:
    """Probabilities (n, classes) of unit-length embeddings (n, d); docs/reference/probe-format.md has the files."""
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
    ids, x, said = read(vectors)
    check(manifest, x, said)
    p = probabilities(folder, x)[:, 0]
    print(f"{manifest['attribute']} version {manifest['version']}: most likely {manifest['classes'][0]}")
    for i in np.argsort(-p)[:10]:
        print(f"{p[i]:.3f}  {ids[i]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
