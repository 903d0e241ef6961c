"""The encoder's own pipeline: the same vectors by every way, bad images named, on the CPU in the place of a card."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attune.labeler.assets import active_encoder
from attune.labeler.demo import prepare
from attune.labeler.settings import build
from attune.models.encoders import staged_images
from attune.models.encoders.embedding import ImageToEmbed, PlainStages, Stages, embed_in_batches
from attune.models.encoders.encoders import OpenClipEncoder
from attune.models.encoders.geometry import Geometry
from attune.models.encoders.staged_images import StagedImages
from attune.models.images.decode import decode
from attune.models.images.plain_jpeg import PlainJpeg, plain_jpeg
from tests.support import images

if TYPE_CHECKING:
    import torch

NAMED = {name: content for name, (content, _) in images.BAD.items()} | images.GOOD


@pytest.fixture(scope="module")
def encoder() -> OpenClipEncoder:
    return active_encoder.load(build({}, **prepare.encoder_settings() | {"device": "cpu"}))


@pytest.fixture(scope="module")
def geometry(encoder: OpenClipEncoder) -> Geometry:
    made = Geometry.of(encoder.fingerprint.preprocessing)
    assert made is not None
    return made


def every() -> list[ImageToEmbed]:
    return [ImageToEmbed(name, lambda content=content: content) for name, content in NAMED.items()]


def run(stages: Stages, pictures: Sequence[ImageToEmbed]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Vectors by id, and the reasons of those left out, of one batch through ``stages``."""

    class Fixed:
        def stages(self, count: int) -> object:
            from contextlib import nullcontext

            return nullcontext(stages)

    vectors: dict[str, np.ndarray] = {}
    reasons: dict[str, str] = {}
    for batch in embed_in_batches(Fixed(), pictures, 7):  # type: ignore[arg-type]
        vectors |= dict(zip(batch.ids, batch.vectors, strict=True))
        reasons |= {item["item"]: item["reason"] for item in batch.left_out}
    return vectors, reasons


@pytest.fixture(scope="module")
def expected(encoder: OpenClipEncoder) -> dict[str, np.ndarray]:
    made = encoder.encode_images([decode(content, name) for name, content in images.GOOD.items()])
    return dict(zip(images.GOOD, made, strict=True))


def check(found: tuple[dict[str, np.ndarray], dict[str, str]], expected: dict[str, np.ndarray]) -> None:
    vectors, reasons = found
    assert reasons == {name: reason for name, (_, reason) in images.BAD.items()}
    assert list(vectors) == list(expected)
    for name, vector in vectors.items():
        assert float(vector @ expected[name]) > 0.999, name


def test_without_a_card_the_input_of_the_network_is_what_it_was_to_the_last_bit(
    encoder: OpenClipEncoder, geometry: Geometry
) -> None:
    import torch  # here, as all processes collect this test and one runs it

    own, plain = StagedImages(encoder, geometry), PlainStages(encoder)
    for name, content in images.GOOD.items():
        picture = ImageToEmbed(name, lambda content=content: content)
        batch = own.prepare([own.read(picture)])
        assert torch.equal(batch.input[0], plain.read(picture)), name


def test_plain_jpegs_by_the_card_and_the_rest_by_pillow_give_the_same_vectors(
    encoder: OpenClipEncoder, geometry: Geometry, expected: dict[str, np.ndarray]
) -> None:
    stages = StagedImages(encoder, geometry, jpeg_on_device=True)
    by_card = {one.id for one in every() if one.id in images.GOOD and isinstance(stages.read(one), PlainJpeg)}
    assert by_card == {"plain.jpg"}
    check(run(stages, every()), expected)


def test_a_file_that_the_card_refuses_is_read_by_pillow_with_its_batch(
    encoder: OpenClipEncoder,
    geometry: Geometry,
    expected: dict[str, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(device: torch.device, jpegs: Sequence[PlainJpeg]) -> list[torch.Tensor]:
        raise RuntimeError("nvjpegDecode failed: 3")

    monkeypatch.setattr(staged_images, "decode_on", refuse)
    check(run(StagedImages(encoder, geometry, jpeg_on_device=True), every()), expected)


def test_what_only_looks_plain_is_named_and_the_batch_goes_on(encoder: OpenClipEncoder, geometry: Geometry) -> None:
    whole = images.GOOD["plain.jpg"]
    cut = whole[: len(whole) // 2] + b"\xff\xd9"
    assert plain_jpeg(cut) is not None
    pictures = [ImageToEmbed(name, lambda content=content: content) for name, content in (("cut", cut), ("ok", whole))]
    stages = StagedImages(encoder, geometry, jpeg_on_device=True)
    vectors, reasons = run(stages, pictures)
    assert "ok" in vectors
    assert reasons.keys() | vectors.keys() == {"cut", "ok"}


def test_processes_read_as_threads_do(
    encoder: OpenClipEncoder, geometry: Geometry, expected: dict[str, np.ndarray]
) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        check(run(StagedImages(encoder, geometry, pool=pool), every()), expected)


def test_a_card_that_shows_another_picture_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    cpu = torch.device("cpu")
    assert staged_images.agrees(cpu)
    real = staged_images.decode_on
    monkeypatch.setattr(staged_images, "decode_on", lambda *given: [255 - one for one in real(*given)])
    assert not staged_images.agrees(cpu)
    assert not staged_images.decodes_jpeg(cpu)
