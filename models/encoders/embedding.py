"""The one way to embed files: reading, preparing and the network overlap; a bad image is named and left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image

from attune.models.encoders.bounded_stages import in_stages
from attune.models.errors import UnreadableItem
from attune.models.images.decode import MAX_PIXELS, decode
from attune.models.threads import cores
from attune.models.vectors.products import FloatArray

READERS = 2  # threads that at least read ahead; more where there are more cores


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
    """An image that is to be embedded: its id, and how to get its bytes (raises UnreadableItem)."""

    id: str
    content: Callable[[], bytes]
    max_pixels: int = MAX_PIXELS

    def picture(self) -> Image.Image:
        """The image, decoded. Raises UnreadableItem."""
        return decode(self.content(), self.id, self.max_pixels)


@dataclass(frozen=True)
class Prepared:
    """A batch as the network takes it: the ``input`` of its good images, and the ``errors`` of others by place."""

    input: Any
    errors: dict[int, UnreadableItem]


class Stages(Protocol):
    """How an encoder's own pipeline reads one image, prepares a batch and computes its vectors."""

    def read(self, picture: ImageToEmbed) -> Any:
        """One image. Raises UnreadableItem. Runs in many threads."""
        ...

    def prepare(self, outcomes: Sequence[Any]) -> Prepared:
        """A batch of what was read, or of the UnreadableItem that came instead."""
        ...

    def compute(self, prepared: Prepared) -> FloatArray:
        """Vectors (n, d) of the good images."""
        ...


@dataclass(frozen=True)
class PlainStages:
    """The stages of any Embedder: Pillow reads in threads."""

    encoder: Embedder

    def read(self, picture: ImageToEmbed) -> Any:
        return self.encoder.prepare(picture.picture())

    def prepare(self, outcomes: Sequence[Any]) -> Prepared:
        errors = errors_of(outcomes)
        return Prepared([one for place, one in enumerate(outcomes) if place not in errors], errors)

    def compute(self, prepared: Prepared) -> FloatArray:
        return self.encoder.encode_prepared(prepared.input)


@dataclass(frozen=True)
class EmbeddedBatch:
    """One batch: ids and vectors (n, d) of its good images, those ``left_out``, and how many are ``done`` so far."""

    ids: list[str]
    vectors: FloatArray
    left_out: list[dict[str, str]]
    done: int


def errors_of(outcomes: Sequence[Any]) -> dict[int, UnreadableItem]:
    """The images of a batch that could not be read, by place."""
    return {place: one for place, one in enumerate(outcomes) if isinstance(one, UnreadableItem)}


def embed_in_batches(encoder: Embedder, pictures: Sequence[ImageToEmbed], size: int) -> Iterator[EmbeddedBatch]:
    """The vectors of ``pictures``, ``size`` at a time; the next ones are read while the model works on these.

    An image that cannot be read is in ``left_out`` as ``{"item", "reason", "message"}``, and the rest continues.
    """
    own: Callable[[int], AbstractContextManager[Stages]] | None = getattr(encoder, "stages", None)
    batches = [pictures[start : start + size] for start in range(0, len(pictures), size)]
    done = 0
    with own(len(pictures)) if own else nullcontext(PlainStages(encoder)) as stages:

        def read(picture: ImageToEmbed) -> Any:
            try:
                return stages.read(picture)
            except UnreadableItem as error:
                return error

        readers = max(READERS, cores())
        for batch, prepared, vectors in in_stages(batches, read, stages.prepare, stages.compute, readers):
            done += len(batch)
            errors = prepared.errors
            left_out = [
                {"item": batch[place].id, "reason": error.reason, "message": str(error)}
                for place, error in sorted(errors.items())
            ]
            ids = [one.id for place, one in enumerate(batch) if place not in errors]
            yield EmbeddedBatch(ids, vectors, left_out, done)
