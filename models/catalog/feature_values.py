"""Feature values: what a version says of each asset, as Parquet that any engine reads.

One row per asset and class (one per asset for two classes, about the first): in Feast's terms the entity is
``asset_id``, the feature view the attribute, and ``event_timestamp`` says from when on the value holds. ``label`` is
null where no class leads (``attune.models.probes.decision``).
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.models.catalog.manifest import Manifest
from attune.models.catalog.probe_files import probabilities
from attune.models.probes.decision import decide

SCHEMA = pa.schema(
    [
        pa.field("asset_id", pa.string(), nullable=False),
        pa.field("title_id", pa.string()),
        pa.field("attribute", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("class", pa.string(), nullable=False),
        pa.field("logit", pa.float32(), nullable=False),
        pa.field("probability", pa.float32(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("event_timestamp", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)


def schema_of(manifest: Manifest) -> pa.Schema:
    """The schema with the digests of the version's manifest and encoder in its metadata."""
    return SCHEMA.with_metadata(
        {b"attune.manifest": manifest.digest.encode(), b"attune.encoder": manifest.encoder_digest.encode()}
    )


def rows(
    manifest: Manifest, ids: pa.Array, titles: pa.Array, logits: npt.NDArray[np.float32], at: datetime
) -> pa.RecordBatch:
    """The feature values of n assets: ``ids`` and ``titles`` strings (n,), ``logits`` calibrated (n, k)."""
    class_names = manifest.classes[:1] if len(manifest.classes) == 2 else manifest.classes
    proba = probabilities(logits)
    count, k = logits.shape
    asset = np.repeat(np.arange(count, dtype=np.int32), k)
    total = count * k
    columns = [
        ids.take(pa.array(asset)) if k > 1 else ids,
        titles.take(pa.array(asset)) if k > 1 else titles,
        pa.repeat(manifest.attribute, total),
        pa.repeat(pa.scalar(manifest.version, pa.int64()), total),
        _named(np.tile(np.arange(k, dtype=np.int32), count), class_names),
        pa.array(logits.reshape(-1).astype(np.float32)),
        pa.array(proba[:, :k].reshape(-1).astype(np.float32)),
        _named(np.repeat(decide(proba, manifest.classes, manifest.thresholds), k), manifest.classes),
        pa.repeat(pa.scalar(at, pa.timestamp("us", tz="UTC")), total),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema_of(manifest))


def _named(index: npt.NDArray[np.int32], names: tuple[str, ...]) -> pa.Array:
    """The name at each ``index`` (n,), null where it is below 0."""
    places = pa.array(index, mask=index < 0)
    return pa.DictionaryArray.from_arrays(places, pa.array(names, pa.string())).cast(pa.string())
