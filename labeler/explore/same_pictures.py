"""Which near duplicates are one picture saved twice: their images are read once and compared when small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image
from sqlalchemy import select

from attune.labeler.assets import media
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError
from attune.models.images.same_picture import Small, is_same, same_shape, small_of

READERS = 4  # threads: decoding leaves the interpreter's lock, and disks answer several at once
AT_ONCE = 500  # assets in one query
MOST = 20_000  # contents that are read: pairs beyond are said to be alike, and nothing more
EDGE = 256  # of the thumbnails that are compared, which pages show anyway


def same_pictures(settings: Settings, pairs: Sequence[tuple[int, int]]) -> list[bool]:
    """Of each pair of keys whether it is one picture. An image that cannot be read is taken for another one."""
    facts: dict[int, tuple[str, tuple[int, int]]] = {}
    seen: dict[str, Small] = {}
    for some in _assets(settings, sorted({key for pair in pairs for key in pair})):
        facts.update((one.id, (one.digest, (one.width, one.height))) for one in some)
        fresh = {one.digest: one for one in some if one.digest not in seen}
        chosen = list(fresh.values())[: max(0, MOST - len(seen))]
        with ThreadPoolExecutor(READERS) as pool:
            read = pool.map(lambda one: _small(settings, one), chosen)
            seen.update((one.digest, small) for one, small in zip(chosen, read, strict=True) if small is not None)
    return [a in facts and b in facts and _same(facts[a], facts[b], seen) for a, b in pairs]


def _assets(settings: Settings, keys: Sequence[int]) -> Iterator[Sequence[Asset]]:
    for start in range(0, len(keys), AT_ONCE):
        there = (Asset.id.in_(keys[start : start + AT_ONCE]), Asset.removed_at.is_(None))
        with reading(settings) as session:
            yield session.scalars(select(Asset).where(*there)).all()


def _same(a: tuple[str, tuple[int, int]], b: tuple[str, tuple[int, int]], seen: dict[str, Small]) -> bool:
    if a[0] == b[0]:
        return True
    known = a[0] in seen and b[0] in seen
    return known and same_shape(a[1], b[1]) and is_same(seen[a[0]], seen[b[0]])


def _small(settings: Settings, asset: Asset) -> Small | None:
    try:
        content = media.thumbnail(settings, asset, EDGE)
    except (AttuneError, OSError):
        return None
    with Image.open(BytesIO(content)) as picture:
        return small_of(picture)
