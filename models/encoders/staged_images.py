"""The pipeline of an open_clip encoder: what may be is decoded on the card, and all else by Pillow on the cores.

On a card with nvJPEG, plain JPEG files (`attune.models.images.plain_jpeg`) are decoded, resized and padded there. Every
other picture is decoded and resized by Pillow, pixel for pixel as the encoder's own transform does it, and goes to the
card as bytes. Both are normalised in one step for the whole batch. On a CPU all goes by Pillow, so that vectors are
what they always were.

The card's way has not run on a card here: its logic is tested on the CPU, with libjpeg in the place of nvJPEG. So it
is tried on a picture first, and left alone where it fails or shows another picture than Pillow.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from attune.models.encoders.decoding_processes import decoding_processes, pixels_of
from attune.models.encoders.embedding import ImageToEmbed, Prepared, errors_of
from attune.models.encoders.geometry import Geometry, Pixels
from attune.models.errors import UnreadableItem
from attune.models.images.plain_jpeg import PlainJpeg, plain_jpeg
from attune.models.vectors.products import FloatArray

if TYPE_CHECKING:
    import torch

    from attune.models.encoders.fingerprint import Fingerprint

log = logging.getLogger("attune.encoder")
CLOSE = 3.0  # of 255: mean difference of the card's picture to Pillow's; the difference of two decoders is below 1


class Network(Protocol):
    """What the stages need of an open_clip encoder."""

    @property
    def device(self) -> torch.device:
        """Where it runs."""

    @property
    def fingerprint(self) -> Fingerprint:
        """Which encoder it is, and how it wants its images."""

    def encode_normalised(self, batch: torch.Tensor) -> FloatArray:
        """Vectors of images as the model takes them, float32 (n, 3, h, w)."""


@dataclass(frozen=True, eq=False)
class StagedImages:
    """The stages of one run (`attune.models.encoders.embedding.Stages`).

    ``jpeg_on_device``: plain JPEG files are decoded where the network is. ``pool``: processes for the other pictures.
    """

    encoder: Network
    geometry: Geometry
    jpeg_on_device: bool = False
    pool: ProcessPoolExecutor | None = None

    def read(self, picture: ImageToEmbed) -> PlainJpeg | Pixels:
        """A plain JPEG as it is, for the device; any other picture decoded and resized. Raises UnreadableItem."""
        content = picture.content()
        jpeg = plain_jpeg(content, picture.max_pixels, picture.id) if self.jpeg_on_device else None
        # A side of one pixel is Pillow's: torch 2.15 makes all its pixels one colour.
        if jpeg and min(self.geometry.fit(jpeg.width, jpeg.height).size) > 1:
            return jpeg
        return self._by_pillow(content, picture.id, picture.max_pixels)

    def prepare(self, outcomes: Sequence[Any]) -> Prepared:
        """The batch normalised on the device: float32 (n, 3, height, width)."""
        outcomes, decoded = self._decoded(outcomes)
        errors = errors_of(outcomes)
        pixels = [one for one in outcomes if isinstance(one, np.ndarray)]
        places = [place for place, one in enumerate(outcomes) if isinstance(one, np.ndarray)]
        good = sorted([*places, *decoded])
        rank = {place: row for row, place in enumerate(good)}
        batch = self._blank(len(good))
        if pixels:
            batch[[rank[place] for place in places]] = self._moved(pixels)
        for place, picture in decoded.items():
            batch[rank[place]] = self.geometry.of_tensor(picture)
        normal = self._normalised(batch)
        if normal.device.type == "cuda":
            import torch

            torch.cuda.current_stream(normal.device).synchronize()  # the network runs in another thread
        return Prepared(normal, errors)

    def compute(self, prepared: Prepared) -> FloatArray:
        """Vectors (n, d) of a prepared batch."""
        return self.encoder.encode_normalised(prepared.input)

    def _by_pillow(self, content: bytes, name: str, max_pixels: int) -> Pixels:
        if self.pool is not None:
            try:
                return self.pool.submit(pixels_of, content, name, max_pixels, self.geometry).result()
            except BrokenProcessPool:
                log.warning("a process that decodes images ended; %s is decoded by this one", name)
        return pixels_of(content, name, max_pixels, self.geometry)

    def _decoded(self, outcomes: Sequence[Any]) -> tuple[list[Any], dict[int, torch.Tensor]]:
        """The outcomes, and pictures uint8 (3, h, w) of the JPEG files among them by place.

        Where one fails on the device all of the batch are read by Pillow, which names the broken one.
        """
        jpegs = {place: one for place, one in enumerate(outcomes) if isinstance(one, PlainJpeg)}
        if not jpegs:
            return list(outcomes), {}
        try:
            pictures = decode_on(self.encoder.device, list(jpegs.values()))
            return list(outcomes), dict(zip(jpegs, pictures, strict=True))
        except RuntimeError as error:
            log.warning("a batch of JPEG files is read by Pillow, as the device refused one: %s", error)
        return [self._again(one) if isinstance(one, PlainJpeg) else one for one in outcomes], {}

    def _again(self, jpeg: PlainJpeg) -> Pixels | UnreadableItem:
        try:
            return self._by_pillow(jpeg.content, jpeg.name, jpeg.width * jpeg.height)
        except UnreadableItem as error:
            return error

    def _blank(self, count: int) -> torch.Tensor:
        import torch

        shape = (count, 3, self.geometry.height, self.geometry.width)
        return torch.empty(shape, dtype=torch.uint8, device=self.encoder.device)

    def _moved(self, pixels: Sequence[Pixels]) -> torch.Tensor:
        """Pixels on the device: uint8 (n, 3, height, width)."""
        import torch

        stacked = torch.from_numpy(np.stack(pixels))
        if self.encoder.device.type == "cuda":
            stacked = stacked.pin_memory()
        return stacked.to(self.encoder.device, non_blocking=True).permute(0, 3, 1, 2)

    def _normalised(self, batch: torch.Tensor) -> torch.Tensor:
        """As open_clip's transform has it, in the same order of operations."""
        import torch

        of_encoder = self.encoder.fingerprint.preprocessing
        mean, std = (
            torch.tensor(of_encoder[name], dtype=torch.float32, device=batch.device).reshape(1, 3, 1, 1)
            for name in ("mean", "std")
        )
        return batch.to(torch.float32).div_(255).sub_(mean).div_(std)


def decode_on(device: torch.device, jpegs: Sequence[PlainJpeg]) -> list[torch.Tensor]:
    """Pictures uint8 (3, h, w) on the device. Raises RuntimeError where one cannot be decoded there."""
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg

    # torchvision names TorchCodec as what comes after it; without it Pillow decodes.
    warnings.filterwarnings("ignore", message=r"(?s).*(TorchCodec|torchcodec)")
    contents = [torch.frombuffer(bytearray(one.content), dtype=torch.uint8) for one in jpegs]
    pictures: list[torch.Tensor] = decode_jpeg(contents, mode=ImageReadMode.RGB, device=device)
    for jpeg, picture in zip(jpegs, pictures, strict=True):
        if tuple(picture.shape) != (3, jpeg.height, jpeg.width):
            raise RuntimeError(f"{jpeg.name} has {tuple(picture.shape)} values, its header says otherwise")
    return pictures


@contextmanager
def staged(encoder: Network, images: int) -> Iterator[StagedImages | None]:
    """The stages for so many ``images``; None where the encoder's transform is not one that is known here."""
    geometry = Geometry.of(encoder.fingerprint.preprocessing)
    if geometry is None:
        yield None
        return
    with decoding_processes(images) as pool:
        yield StagedImages(encoder, geometry, decodes_jpeg(encoder.device), pool)


@cache
def decodes_jpeg(device: torch.device) -> bool:
    """Whether the device decodes a JPEG as Pillow does; tried once a process."""
    return device.type == "cuda" and agrees(device)


def agrees(device: torch.device) -> bool:
    """Whether a drawn JPEG becomes the same picture on the device as by Pillow, but for rounding."""
    coarse = np.random.default_rng(0).integers(0, 256, (9, 6, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(coarse).resize((96, 144), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    jpeg = plain_jpeg(out.getvalue())
    assert jpeg is not None
    try:
        [picture] = decode_on(device, [jpeg])
    except Exception as error:  # torchvision without nvJPEG, or a driver that lacks it: each raises its own kind
        log.warning("%s decodes no JPEG, so Pillow does: %s", device, error)
        return False
    found = picture.permute(1, 2, 0).cpu().numpy().astype(np.float32)
    expected = np.asarray(Image.open(out).convert("RGB"), dtype=np.float32)
    if np.abs(found - expected).mean() < CLOSE:
        return True
    log.warning("%s shows another picture than Pillow, so Pillow decodes", device)
    return False
