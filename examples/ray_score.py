"""Score a table of vectors with Ray Data's map_batches; needs ray[data], numpy and safetensors, nothing of Attune.

    attune pull romance@champion --to romance
    python ray_score.py romance vectors.parquet scores

``vectors.parquet`` holds ``asset_id`` and ``vector`` (d numbers of unit length) of the encoder that manifest.json
names; where it carries the encoder's fingerprint, another one is refused. ``scores`` becomes a folder of Parquet files
with one row per asset and class (one per asset for two classes). On a cluster the same lines begin with
``ray.init("auto")``.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
import ray

ROWS = 8192


def check_encoder(manifest: dict, vectors: Path) -> None:
    """Stop where the table says that another encoder made it: its scores would be numbers without meaning."""
    carried = (pq.read_schema(vectors).metadata or {}).get(b"attune.fingerprint")
    if carried and json.loads(carried) != manifest["encoder"]:
        sys.exit(f"{vectors} was made by {carried.decode()}, the probe needs {json.dumps(manifest['encoder'])}.")


def score(batch: pa.Table, manifest: dict, content: bytes) -> pa.Table:
    """Feature values of one batch; docs/reference/probe-format.md describes the numbers."""
    probe, classes = load(content), manifest["classes"]
    x = np.stack(batch["vector"].to_numpy()).astype(np.float32)
    slope, offset = probe["calibration"].T
    z = (x @ probe["weight"].T + probe["bias"]) * slope + offset
    if z.shape[1] == 1:
        z = np.concatenate([z, np.zeros_like(z)], axis=1)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    line = manifest["thresholds"].get(classes[0], 0.5)
    label = p.argmax(axis=1) if len(classes) > 2 else (p[:, 0] < line).astype(int)
    top = np.sort(p, axis=1)[:, -2:]
    tied = (top[:, 1] - top[:, 0] <= 1e-6) & (len(classes) > 2 or abs(line - 0.5) <= 1e-6)
    named = np.where(tied, None, np.array(classes, dtype=object)[label])  # no class leads: no label
    told = classes if len(classes) > 2 else classes[:1]
    return pa.table(
        {
            "asset_id": np.repeat(batch["asset_id"].to_numpy(), len(told)),
            "version": np.full(len(x) * len(told), manifest["version"]),
            "class": np.tile(told, len(x)),
            "probability": p[:, : len(told)].reshape(-1).astype(np.float32),
            "label": pa.array(np.repeat(named, len(told)), pa.string()),
        }
    )


def main(folder: Path, vectors: Path, to: Path) -> None:
    """Read, score and write in batches: no machine ever holds the whole table."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    check_encoder(manifest, vectors)
    ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    ray.data.DataContext.get_current().enable_progress_bars = False
    known = {"manifest": manifest, "content": (folder / "probe.safetensors").read_bytes()}
    table = ray.data.read_parquet(str(vectors.absolute())).select_columns(["asset_id", "vector"])
    scored = table.map_batches(score, batch_format="pyarrow", batch_size=ROWS, fn_kwargs=known).materialize()
    scored.write_parquet(str(to.absolute()))
    classes = 1 if len(manifest["classes"]) == 2 else len(manifest["classes"])
    print(f"{manifest['attribute']} version {manifest['version']}: {scored.count() // classes} assets scored to {to}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
