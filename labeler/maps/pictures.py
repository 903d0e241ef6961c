"""Small pictures of images as a column of a Parquet file, in the form that viewers of embeddings show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pyarrow as pa
from sqlalchemy import select

from attune.labeler.assets import media
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError

COLUMN = "image"
EDGE = 128  # pixels: some 5 kB a picture
AT_ONCE = 1_000  # images in memory
READERS = 4  # threads: decoding leaves the interpreter's lock
TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def with_pictures(settings: Settings, table: pa.Table, keys: Sequence[int]) -> Iterator[pa.Table]:
    """Slices of ``table`` with a column `COLUMN` of JPEGs; ``keys`` are those of its rows' assets.

    Null where an image cannot be read.
    """
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        with reading(settings) as session:
            there = {one.id: one for one in session.scalars(select(Asset).where(Asset.id.in_(some)))}
        with ThreadPoolExecutor(READERS) as pool:
            read = list(pool.map(partial(_picture, settings), [there.get(key) for key in some]))
        yield table.slice(start, AT_ONCE).append_column(COLUMN, pa.array(read, TYPE))


def _picture(settings: Settings, asset: Asset | None) -> dict[str, object] | None:
    try:
        content = media.thumbnail(settings, asset, EDGE) if asset is not None else None
    except (AttuneError, OSError):
        return None
    return None if asset is None else {"bytes": content, "path": f"{asset.asset_id}.jpg"}
