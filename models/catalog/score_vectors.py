"""Score a file of vectors to feature values, in streams of bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from attune.models.catalog import feature_values
from attune.models.catalog.manifest import Manifest
from attune.models.catalog.probe_files import ProbeWeights
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.engines.scoring import Scorer, scored
from attune.models.errors import UnreadableItem
from attune.models.files.outputs import user_file
from attune.models.vectors.vector_batches import LeftOut, VectorStream

ROW_GROUP = 131_072  # rows of feature values that are held before they are written


@dataclass(frozen=True)
class Scored:
    """What came of scoring a file: ``assets`` scored to ``rows``, of them ``rescaled`` to unit length first.

    ``left_out`` counts the rows that were not scored by reason, ``rows_left_out`` names the first 10,000 of them.
    """

    assets: int
    rows: int
    rescaled: int
    left_out: dict[str, int]
    assumed: bool
    rows_left_out: tuple[LeftOut, ...] = ()


def score_file(
    manifest: Manifest,
    probe: ProbeWeights,
    vectors: Path,
    to: Path,
    fingerprint: Fingerprint | None = None,
    assume_fingerprint: bool = False,
    report: Callable[[int, int], None] = lambda done, total: None,
    engine: str = "workers",
) -> Scored:
    """Write the feature values of every vector in ``vectors`` (.npz, Parquet or Arrow) to ``to``, whole or not at all.

    ``fingerprint`` says which encoder made them where the file does not itself; ``assume_fingerprint`` takes the
    caller's word that it was the probe's. ``engine`` is ``workers`` (this process) or ``ray``. Raises EncoderMismatch
    (naming both), UnreadableItem, DataError, UnwritableFile for ``to``, and what `map_tables` raises.
    """
    stream, at = VectorStream(vectors, expected=probe.dimension), now()
    if not assume_fingerprint:
        _require(manifest, stream.fingerprint or fingerprint or stream.identity())
    if stream.width != probe.dimension:
        raise UnreadableItem(
            f"The vectors {vectors.name} have {stream.width} numbers each, but {manifest.attribute} version "
            f"{manifest.version} expects {probe.dimension}. Use vectors of the probe's encoder, which its "
            "manifest names.",
            "bad vectors",
        )
    schema, rows = feature_values.schema_of(manifest), 0
    with user_file(to) as file, pq.ParquetWriter(file, schema) as writer:
        waiting: list[pa.RecordBatch] = []
        batches = ((batch.ids, batch.titles, batch.vectors) for batch in stream)
        for scores in scored(engine, Scorer(manifest, probe, at), batches):
            waiting.append(scores)
            rows += scores.num_rows
            if sum(part.num_rows for part in waiting) >= ROW_GROUP:
                writer.write_table(pa.Table.from_batches(waiting), row_group_size=ROW_GROUP)
                waiting = []
            report(stream.tally.used, stream.total)
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting), row_group_size=ROW_GROUP)
    tally = stream.tally
    return Scored(tally.used, rows, tally.rescaled, tally.left_out, assume_fingerprint, tuple(tally.named))


def _require(manifest: Manifest, fingerprint: Fingerprint) -> None:
    Fingerprint.from_dict(dict(manifest.encoder)).require(
        fingerprint,
        f"The encoder of {manifest.attribute} version {manifest.version}",
        "Use vectors of the probe's encoder. If you have these but the file does not name the encoder, add "
        "--fingerprint FILE.json, or --assume-fingerprint if you are sure.",
    )
