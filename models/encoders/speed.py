"""How many images a second an encoder takes on this machine: a short run, from the decoded picture to the vector."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from PIL import Image

from attune.models.encoders.encoders import OpenClipEncoder

SIZE = (480, 720)  # pixels of the pictures, the shape of a poster
SECONDS = 2.0
MOST = 512


@dataclass(frozen=True)
class Speed:
    """``images`` encoded in ``seconds``, in batches of ``batch`` on ``device``; reading files is not in it."""

    images: int
    seconds: float
    batch: int
    device: str

    @property
    def per_second(self) -> float:
        """Images a second."""
        return self.images / self.seconds


def measure(encoder: OpenClipEncoder, seconds: float = SECONDS, batch: int = 16, most: int = MOST) -> Speed:
    """Encode pictures of noise for about ``seconds``, after one that does not count: the first is always slow."""
    noise = np.random.default_rng(0).integers(0, 256, (batch, SIZE[1], SIZE[0], 3), dtype=np.uint8)
    pictures = [Image.fromarray(one) for one in noise]
    encoder.encode_images(pictures[:1])
    began, done = time.perf_counter(), 0
    while True:
        encoder.encode_images(pictures)
        done += batch
        took = time.perf_counter() - began
        if took >= seconds or done >= most:
            return Speed(done, took, batch, str(encoder.device))
