"""Images in batches by the engine of the settings: this process's pipeline, or Ray Data on this machine or many.

Ray's processes get what an image's address needs, never the settings: those hold secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from attune.labeler.assets import image_sources
from attune.labeler.assets.reach import Reach
from attune.labeler.settings import Settings
from attune.models.encoders.embedding import EmbeddedBatch, Embedder, ImageToEmbed, embed_in_batches
from attune.models.errors import UnreadableItem
from attune.models.files.atomic import digest_bytes

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder
    from attune.models.engines.embedding import Place

CORES = 4  # of a process of Ray that embeds without a card: a network uses several well, and takes memory once


def read_place(reach: Reach, id_: str, uri: str, digest: str) -> bytes:
    """The bytes of an image that must have the sha256 ``digest`` (empty: any).

    Raises UnreadableItem where it vanished, is another than was added, or lies where images may not come from now.
    """
    content = image_sources.read(uri, id_, reach)
    if digest and digest_bytes(content) != digest:
        raise UnreadableItem(
            f"The file {uri} has changed since {id_} was added. Restore the old file, or add "
            "the new one under another asset_id.",
            "changed since it was added",
        )
    return content


def encoded_in_batches(
    settings: Settings, encoder: OpenClipEncoder, places: Sequence[Place]
) -> Iterator[EmbeddedBatch]:
    """The vectors of the images at ``places``. Raises as `map_tables` does where Ray makes them."""
    from attune.labeler.assets.chosen_encoder import of_fingerprint

    # A machine of Ray's looks for the weights itself; only what it needs of the settings goes there.
    names = ("encoder", "pretrained", "resize_mode", "device", "embed_batch")
    own = Settings(**{name: getattr(settings, name) for name in names})
    make = partial(of_fingerprint, own, encoder.fingerprint, "The job's encoder")
    return in_batches(settings, encoder, make, places, settings.embed_batch, cores=CORES, card=True)


def in_batches(
    settings: Settings,
    embedder: Embedder,
    make: Callable[[], Embedder],
    places: Sequence[Place],
    size: int,
    *,
    cores: int = 1,
    card: bool = False,
) -> Iterator[EmbeddedBatch]:
    """What ``embedder`` makes of the images at ``places``; by Ray each process ``make``s one.

    Such a process takes so many ``cores``, and a ``card`` where there is one and the settings allow it.
    """
    read = partial(read_place, Reach.of(settings))
    if settings.engine != "ray":
        pictures = [
            ImageToEmbed(one.id, partial(read, one.id, one.uri, one.digest), settings.max_pixels) for one in places
        ]
        yield from embed_in_batches(embedder, pictures, size)
        return
    from attune.models.engines.embedding import Job, embedded_by_ray
    from attune.models.engines.ray_data import Share

    share = Share(cores, card and settings.device in {"auto", "cuda"})
    yield from embedded_by_ray(Job(make, read, settings.max_pixels, size, share), places)
