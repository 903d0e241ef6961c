"""The one way to embed files: threads read ahead, the model takes a batch, a bad image is named and left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image

from attune.models.errors import UnreadableItem
from attune.models.vectors.products import FloatArray

READERS = 2  # threads that decode the next batch while the model has this one


class Embedder(Protocol):
    """What makes vectors of images: an encoder, or several spaces at once (`attune.models.spaces.views`)."""

    def prepare(self, image: Image.Image) -> Any:
        """One RGB image as ``encode_prepared`` takes it. May run in a thread."""
        ...

    def encode_prepared(self, tensors: Any) -> FloatArray:
        """Vectors (n, d) of prepared images; (0, d) of none."""
        ...


@dataclass(frozen=True)
class ImageToEmbed:
    """An image that is to be embedded: its id, and how to read it (raises UnreadableItem)."""

    id: str
    read: Callable[[], Image.Image]


@dataclass(frozen=True)
class EmbeddedBatch:
    """One batch: ids and vectors (n, d) of its good images, those ``left_out``, and how many are ``done`` so far."""

    ids: list[str]
    vectors: FloatArray
    left_out: list[dict[str, str]]
    done: int


def embed_in_batches(encoder: Embedder, pictures: Sequence[ImageToEmbed], size: int) -> Iterator[EmbeddedBatch]:
    """The vectors of ``pictures``, ``size`` at a time; the next batch is read while the model works on this one.

    An image that cannot be read is in ``left_out`` as ``{"item", "reason", "message"}``, and the rest continues.
    """

    def prepare(picture: ImageToEmbed) -> Any:
        try:
            return encoder.prepare(picture.read())
        except UnreadableItem as error:
            return error

    batches = [pictures[start : start + size] for start in range(0, len(pictures), size)]
    done = 0
    with ThreadPoolExecutor(READERS) as pool:
        ahead: list[Future[Any]] = [pool.submit(prepare, batch_row) for batch_row in (batches[0] if batches else ())]
        for batch, following in zip(batches, [*batches[1:], ()], strict=False):  # none at all: nothing follows either
            current, ahead = ahead, [pool.submit(prepare, batch_row) for batch_row in following]
            outcomes = [(batch_row, future.result()) for batch_row, future in zip(batch, current, strict=True)]
            bad = [(batch_row, outcome) for batch_row, outcome in outcomes if isinstance(outcome, UnreadableItem)]
            good = [(batch_row, outcome) for batch_row, outcome in outcomes if not isinstance(outcome, UnreadableItem)]
            done += len(batch)
            yield EmbeddedBatch(
                [batch_row.id for batch_row, _ in good],
                encoder.encode_prepared([tensor for _, tensor in good]),
                [{"item": batch_row.id, "reason": error.reason, "message": str(error)} for batch_row, error in bad],
                done,
            )
