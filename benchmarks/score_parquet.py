"""Vectors of a Parquet file to feature values, beside a plain loop of scikit-learn's ``predict_proba`` per row group.

    python -m benchmarks.score_parquet --rows 200000 --dim 512 --json OUT

Both read the same file and write the same columns, in turns, each time in a process of its own. Two layouts of the
file: row groups of 16,384, and one of all rows, as pyarrow writes where nobody says otherwise. Memory is what the
process held at most over what it held before it began to score.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from attune.models.catalog.manifest import Manifest
from attune.models.catalog.probe_files import ProbeWeights
from attune.models.catalog.score_vectors import score_file
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.files.atomic import canonical_json, write_json
from attune.models.vectors.vector_shards import METADATA
from benchmarks.machine import machine
from benchmarks.measured import Figure, quantile, ratio, shown
from benchmarks.scale import forget_peak, peak_mib, vectors

CLASSES = {2: ("romance", "other"), 3: ("romance", "friendship", "neither")}
WAYS = ("attune", "scikit-learn")


def write_vectors(path: Path, rows: int, dim: int, group: int) -> None:
    """A Parquet file of ``asset_id`` and ``vector`` float32 (dim,), unit length, ``group`` rows a row group."""
    x = vectors(rows, dim, 0)
    fingerprint = {METADATA: canonical_json(_encoder(dim).to_dict())}
    kind = pa.list_(pa.float32(), dim)
    schema = pa.schema([("asset_id", pa.string()), ("vector", kind)], metadata=fingerprint)
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for start in range(0, rows, group):
            part = x[start : start + group].astype(np.float32)
            part /= np.linalg.norm(part, axis=1, keepdims=True)
            ids = pa.array([f"asset-{i:08d}" for i in range(start, start + len(part))])
            column = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), dim)
            writer.write_table(pa.table([ids, column], schema=schema), row_group_size=group)


def _encoder(dim: int) -> Fingerprint:
    return Fingerprint("open_clip", "bench", "ab" * 32, dim)


def head(dim: int, classes: int) -> ProbeWeights:
    """A probe with coefficients of a seed."""
    k = 1 if classes == 2 else classes
    rng = np.random.default_rng(1)
    return ProbeWeights(rng.normal(size=(k, dim)) * 3, rng.normal(size=k), np.tile([1.0, 0.0], (k, 1)))


def by_attune(source: Path, to: Path, dim: int, classes: int) -> None:
    """``attune.models.catalog.score_vectors``: what ``attune score`` runs."""
    manifest = Manifest(
        attribute="bench", revision=1, question="?", definition="", classes=CLASSES[classes], version=1,
        encoder=_encoder(dim).to_dict(), thresholds={}, metrics={}, labels={}, data_digest="0" * 64, files={},
        created_at=now(), code_version=version("attune"),
    )  # fmt: skip
    score_file(manifest, head(dim, classes), source, to)


def by_scikit_learn(source: Path, to: Path, dim: int, classes: int) -> None:
    """The loop that a pipeline would write: a row group, ``predict_proba``, the same columns into the same format."""
    from sklearn.linear_model import LogisticRegression

    probe, names = head(dim, classes), np.array(CLASSES[classes])
    model = LogisticRegression()
    # Of two classes scikit-learn's second is the positive one, ours the first.
    sign = -1 if classes == 2 else 1
    model.classes_, model.coef_, model.intercept_ = np.arange(classes), sign * probe.weight, sign * probe.bias
    told, writer, at = (1 if classes == 2 else classes), None, now()
    with pq.ParquetFile(source) as file:
        for number in range(file.num_row_groups):
            table = file.read_row_group(number, columns=["asset_id", "vector"])
            x = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, dim)
            p = model.predict_proba(x)
            n = len(x)
            label = names[p.argmax(axis=1)]
            scored = pa.table(
                {
                    "asset_id": np.repeat(table["asset_id"].to_numpy(), told),
                    "title_id": pa.nulls(n * told, pa.string()),
                    "attribute": np.repeat("bench", n * told),
                    "version": np.ones(n * told, dtype=np.int64),
                    "class": np.tile(names[:told], n),
                    "logit": np.log(p[:, :told] / (1 - p[:, :told])).reshape(-1).astype(np.float32),
                    "probability": p[:, :told].reshape(-1).astype(np.float32),
                    "label": np.repeat(label, told),
                    "event_timestamp": pa.repeat(pa.scalar(at, pa.timestamp("us", tz="UTC")), n * told),
                }
            )
            writer = writer or pq.ParquetWriter(to, scored.schema)
            writer.write_table(scored)
    if writer:
        writer.close()


def once(way: str, source: Path, to: Path, dim: int, classes: int) -> dict[str, float]:
    """One run in this process: seconds, and MiB over what was held before."""
    work = by_attune if way == "attune" else by_scikit_learn
    with tempfile.TemporaryDirectory() as folder:  # what a first call loads is not the work
        small = Path(folder) / "v.parquet"
        write_vectors(small, 64, dim, 64)
        work(small, Path(folder) / "s.parquet", dim, classes)
    forget_peak()
    before, began = peak_mib(), time.perf_counter()
    work(source, to, dim, classes)
    return {"seconds": time.perf_counter() - began, "mib": peak_mib() - before}


def apart(way: str, source: Path, to: Path, dim: int, classes: int) -> dict[str, float]:
    """``once`` in a process of its own."""
    code = (
        "import json, sys; from pathlib import Path; from benchmarks.score_parquet import once; "
        "way, source, to, dim, classes = sys.argv[1:]; "
        "print(json.dumps(once(way, Path(source), Path(to), int(dim), int(classes))))"
    )
    arguments = [way, str(source), str(to), str(dim), str(classes)]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def equal(one: Path, other: Path) -> float:
    """The greatest difference between two files' probabilities; the assets and classes have to be the same."""
    ours, theirs = (pq.read_table(path, columns=["asset_id", "class", "probability"]) for path in (one, other))
    for name in ("asset_id", "class"):
        if ours[name].to_pylist() != theirs[name].to_pylist():
            raise SystemExit(f"{name} differs between the two ways: nothing to compare.")
    return float(np.abs(ours["probability"].to_numpy() - theirs["probability"].to_numpy()).max())


def layout(folder: Path, rows: int, dim: int, group: int, classes: int, repeats: int) -> dict[str, Any]:
    """Both ways on one layout of the file, in turns."""
    source = folder / f"vectors-{group}.parquet"
    write_vectors(source, rows, dim, group)
    outputs = {way: folder / f"{way}.parquet" for way in WAYS}
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(repeats):
        for way in WAYS if number % 2 == 0 else WAYS[::-1]:
            runs[way].append(apart(way, source, outputs[way], dim, classes))
    seconds = {way: [run["seconds"] for run in runs[way]] for way in WAYS}
    found = {
        "rows_a_group": group,
        "classes": classes,
        "file_mib": source.stat().st_size / 2**20,
        "greatest_difference": equal(outputs["attune"], outputs["scikit-learn"]),
        "vectors_per_second": {way: quantile([rows / s for s in seconds[way]], 0.5) for way in WAYS},
        "peak_mib": {way: quantile([run["mib"] for run in runs[way]], 0.5) for way in WAYS},
        "times_as_fast": ratio(seconds["scikit-learn"], seconds["attune"]),
        "times_the_memory": ratio([r["mib"] for r in runs["attune"]], [r["mib"] for r in runs["scikit-learn"]]),
    }
    source.unlink()
    return found


def _line(found: dict[str, Any], way: str) -> str:
    rate: Figure = found["vectors_per_second"][way]
    where = f"{found['rows_a_group']:>9,}  {found['classes']:>7}  {way:13}"
    return f"{where} {shown(rate, '/s'):32} {shown(found['peak_mib'][way], ' MiB')}"


@click.command()
@click.option("--rows", default=200_000, show_default=True)
@click.option("--dim", default=512, show_default=True)
@click.option("--repeats", default=7, show_default=True, help="Rounds; each runs both ways.")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path))
def main(rows: int, dim: int, repeats: int, out: Path | None) -> None:
    """Print a table; write it as JSON."""
    found = []
    click.echo(f"{rows:,} x {dim} vectors, n = {repeats}")
    click.echo(f"row group  classes  {'way':13} {'vectors':32} memory")
    with tempfile.TemporaryDirectory(prefix="attune-score-") as folder:
        for group in (min(16_384, rows), rows):
            for classes in CLASSES:
                found.append(layout(Path(folder), rows, dim, group, classes, repeats))
                for way in WAYS:
                    click.echo(_line(found[-1], way))
                click.echo(
                    f"{'':20}attune is {shown(found[-1]['times_as_fast'])} times as fast, with "
                    f"{shown(found[-1]['times_the_memory'])} of the memory"
                )
    if out:
        packages = ("attune", "numpy", "pyarrow", "scikit-learn")
        held = {"rows": rows, "dim": dim, "layouts": found, "machine": machine()}
        write_json(out, held | {"versions": {name: version(name) for name in packages}})


if __name__ == "__main__":
    main()
