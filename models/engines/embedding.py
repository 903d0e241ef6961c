"""Images through an encoder, or through measures, on Ray Data: each process is the pipeline of one machine's job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from attune.models.encoders.embedding import EmbeddedBatch, Embedder, ImageToEmbed, embed_in_batches
from attune.models.engines.ray_data import Share, map_tables
from attune.models.engines.scoring import as_column, matrix
from attune.models.engines.table_errors import Work

Read = Callable[[str, str, str], bytes]  # id, address and sha256 of an image; raises UnreadableItem
TABLES = 4  # batches of one table: what a process that is killed has to do again


@dataclass(frozen=True)
class Place:
    """Where an image lies: its id, its address, and the sha256 that it must have (empty: any)."""

    id: str
    uri: str
    digest: str = ""


@dataclass(frozen=True)
class Job:
    """What is done in each process: ``make`` the embedder once, ``read`` images, embed ``size`` of them at a time."""

    make: Callable[[], Embedder]
    read: Read
    max_pixels: int
    size: int
    share: Share = Share()


def embedded_by_ray(job: Job, places: Sequence[Place]) -> Iterator[EmbeddedBatch]:
    """As `embed_in_batches`, in larger batches. Raises as `map_tables` does."""
    rows = job.size * TABLES
    tables = (_table(places[start : start + rows]) for start in range(0, len(places), rows))
    done = 0
    for table in map_tables(partial(_worker, job), tables, job.share):
        done += table.num_rows
        good = np.asarray(table["reason"].is_null())
        ids = np.asarray(table["id"].to_pylist(), dtype=object)
        bad = table.filter(pa.array(~good))
        left_out = [
            {"item": id_, "reason": reason, "message": message}
            for id_, reason, message in zip(
                *(bad[name].to_pylist() for name in ("id", "reason", "message")), strict=True
            )
        ]
        yield EmbeddedBatch(ids[good].tolist(), matrix(table, "vector")[good], left_out, done)


def _table(places: Sequence[Place]) -> pa.Table:
    names = ("id", "uri", "digest")
    return pa.table({name: pa.array([getattr(one, name) for one in places], pa.string()) for name in names})


def _worker(job: Job) -> Work:
    return partial(_embed, job, job.make())


def _embed(job: Job, embedder: Embedder, table: pa.Table) -> pa.Table:
    """A row for each image: its vector, or (with a vector of zeros) why it has none."""
    columns = (table[name].to_pylist() for name in ("id", "uri", "digest"))
    pictures = [
        ImageToEmbed(id_, partial(job.read, id_, uri, digest), job.max_pixels)
        for id_, uri, digest in zip(*columns, strict=True)
    ]
    batches = list(embed_in_batches(embedder, pictures, job.size))
    vectors = np.concatenate([batch.vectors for batch in batches])
    ids = [id_ for batch in batches for id_ in batch.ids]
    left_out = [item for batch in batches for item in batch.left_out]
    empty = np.zeros((len(left_out), vectors.shape[1]), dtype=np.float32)
    nothing: list[str | None] = [None] * len(ids)
    return pa.table(
        {
            "id": pa.array([*ids, *(item["item"] for item in left_out)], pa.string()),
            "vector": as_column(np.concatenate([vectors, empty]).astype(np.float32)),
            "reason": pa.array([*nothing, *(item["reason"] for item in left_out)], pa.string()),
            "message": pa.array([*nothing, *(item["message"] for item in left_out)], pa.string()),
        }
    )
