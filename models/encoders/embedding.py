"""The one way to embed files: threads read ahead, the model takes a batch, a bad image is named and left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from attune.models.errors import UnreadableItem
from attune.models.vectors.products import FloatArray

if TYPE_CHECKING:
    import torch

    from attune.models.encoders.encoders import OpenClipEncoder

READERS = 2  # threads that decode the next batch while the model has this one


@dataclass(frozen=True)
class Picture:
    """An image that is to be embedded: its id, and how to read it (raises UnreadableItem)."""

    id: str
    read: Callable[[], Image.Image]


@dataclass(frozen=True)
class Embedded:
    """One batch: ids and vectors (n, d) of its good images, those ``left_out``, and how many are ``done`` so far."""

    ids: list[str]
    vectors: FloatArray
    left_out: list[dict[str, str]]
    done: int


def embedded(encoder: OpenClipEncoder, pictures: Sequence[Picture], size: int) -> Iterator[Embedded]:
    """The vectors of ``pictures``, ``size`` at a time; the next batch is read while the model works on this one.

    An image that cannot be read is in ``left_out`` as ``{"item", "reason", "message"}``, and the rest goes on.
    """

    def prepare(picture: Picture) -> torch.Tensor | UnreadableItem:
        try:
            return encoder.prepare(picture.read())
        except UnreadableItem as error:
            return error

    batches = [pictures[start : start + size] for start in range(0, len(pictures), size)]
    done = 0
    with ThreadPoolExecutor(READERS) as pool:
        ahead: list[Future[Any]] = [pool.submit(prepare, one) for one in (batches[0] if batches else ())]
        for batch, following in zip(batches, [*batches[1:], ()], strict=False):  # none at all: nothing follows either
            current, ahead = ahead, [pool.submit(prepare, one) for one in following]
            outcomes = [(one, future.result()) for one, future in zip(batch, current, strict=True)]
            bad = [(one, outcome) for one, outcome in outcomes if isinstance(outcome, UnreadableItem)]
            good = [(one, outcome) for one, outcome in outcomes if not isinstance(outcome, UnreadableItem)]
            done += len(batch)
            yield Embedded(
                [one.id for one, _ in good],
                encoder.encode_prepared([tensor for _, tensor in good]),
                [{"item": one.id, "reason": error.reason, "message": str(error)} for one, error in bad],
                done,
            )
