"""Any open_clip model by one path: two towers in one space, a fingerprint of what makes the numbers, plain errors."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from attune.models.encoders.encoders import OpenClipEncoder
from attune.models.errors import EncoderError
from attune.models.images.decode import decode
from tests.support import images

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


def write_checkpoint(name: str, path: Path, seed: int = 0) -> Path:
    """A checkpoint file of an open_clip model with random weights."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = open_clip.create_model(name)
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.json"
    path.write_text(json.dumps(TINY))
    return path


@pytest.fixture(scope="module")
def checkpoint(config: Path) -> Path:
    import open_clip

    open_clip.add_model_config(config)
    return write_checkpoint("tiny", config.with_name("weights.safetensors"))


@pytest.fixture(scope="module")
def tiny(config: Path, checkpoint: Path) -> OpenClipEncoder:
    return OpenClipEncoder.load(str(config), str(checkpoint), device="cpu", batch=4)


PICTURES = [decode(content, name) for name, content in images.GOOD.items()]


def test_images_and_texts_become_unit_vectors_of_one_space(tiny: OpenClipEncoder) -> None:
    seen, told = tiny.encode_images(PICTURES), tiny.encode_texts(["a serious face", "夏", "", "long " * 400])
    assert seen.shape == (len(PICTURES), 16)
    assert told.shape == (4, 16)
    for vectors in (seen, told):
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert tiny.encode_images([]).shape == (0, 16)
    assert tiny.dimension == tiny.fingerprint.dimension == 16


def test_a_checkpoint_in_torchs_own_format_gives_the_same_vectors(
    config: Path, tiny: OpenClipEncoder, tmp_path: Path
) -> None:
    path = write_checkpoint("tiny", tmp_path / "weights.pt")
    other = OpenClipEncoder.load(str(config), str(path), device="cpu")
    np.testing.assert_allclose(other.encode_images(PICTURES), tiny.encode_images(PICTURES), atol=1e-5)


def test_the_batch_does_not_change_a_vector(tiny: OpenClipEncoder) -> None:
    alone = np.concatenate([tiny.encode_images([picture]) for picture in PICTURES])
    np.testing.assert_allclose(tiny.encode_images(PICTURES), alone, atol=1e-5)


def test_the_fingerprint_says_what_makes_the_numbers(config: Path, checkpoint: Path, tiny: OpenClipEncoder) -> None:
    again = OpenClipEncoder.load(str(config), str(checkpoint), device="cpu")
    assert again.fingerprint == tiny.fingerprint
    assert tiny.fingerprint.preprocessing["resize_mode"] == "longest"
    assert tiny.fingerprint.preprocessing["size"] == [32, 32]
    squashed = OpenClipEncoder.load(str(config), str(checkpoint), resize_mode="squash", device="cpu")
    assert squashed.fingerprint.differences(tiny.fingerprint) == ["preprocessing"]
    assert not np.allclose(squashed.encode_images(PICTURES[:1]), tiny.encode_images(PICTURES[:1]), atol=1e-3)


def test_the_same_weights_in_another_architecture_are_another_encoder(
    config: Path, checkpoint: Path, tiny: OpenClipEncoder
) -> None:
    other = config.with_name("other") / "tiny.json"
    other.parent.mkdir()
    other.write_text(json.dumps(TINY | {"text_cfg": TINY["text_cfg"] | {"heads": 4}}))
    assert OpenClipEncoder.load(str(other), str(checkpoint), device="cpu").fingerprint.differences(
        tiny.fingerprint
    ) == ["model"]


def test_a_config_in_the_hubs_form_keeps_its_mean_and_deviation(config: Path, checkpoint: Path) -> None:
    path = config.with_name("hub.json")
    path.write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}))
    made = OpenClipEncoder.load(str(path), str(checkpoint), device="cpu")
    assert made.fingerprint.preprocessing["mean"] == [0.5] * 3
    assert made.fingerprint.preprocessing["std"] == [0.25] * 3


def test_no_part_of_a_tall_picture_is_cropped_away(tiny: OpenClipEncoder) -> None:
    from PIL import Image

    plain = Image.new("RGB", (40, 160), "white")
    marked = plain.copy()
    marked.paste((255, 0, 0), (0, 0, 40, 12))
    assert not np.allclose(tiny.prepare(plain), tiny.prepare(marked))


def test_weights_that_do_not_fit_are_told_with_both_settings(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    write_checkpoint("tiny", path)
    narrow = tmp_path / "narrow.json"
    narrow.write_text(json.dumps(TINY | {"embed_dim": 8}))
    with pytest.raises(EncoderError, match=r"does not fit narrow: .*ATTUNE_ENCODER and ATTUNE_PRETRAINED"):
        OpenClipEncoder.load(str(narrow), str(path), device="cpu")
    path.write_bytes(b"no tensors at all")
    with pytest.raises(EncoderError, match="does not fit tiny"):
        OpenClipEncoder.load(str(config), str(path), device="cpu")


def test_a_checkpoint_that_holds_code_is_not_run(config: Path, tmp_path: Path) -> None:
    import torch

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'sprung'}",)

    torch.save({"state_dict": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(EncoderError, match="must contain only tensors"):
        OpenClipEncoder.load(str(config), str(tmp_path / "trap.pt"), device="cpu")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"device": "abacus"}, "ATTUNE_DEVICE is 'abacus', but torch has no such device"),
        ({"resize_mode": "crop"}, "ATTUNE_RESIZE_MODE is 'crop'.*one of longest, squash, shortest"),
    ],
)
def test_settings_that_cannot_be_are_named(
    config: Path, checkpoint: Path, arguments: dict[str, str], words: str
) -> None:
    with pytest.raises(EncoderError, match=words):
        OpenClipEncoder.load(str(config), str(checkpoint), **arguments)


@pytest.mark.slow
def test_a_real_architecture_loads_from_a_file_written_here(tmp_path: Path) -> None:
    path = write_checkpoint("ViT-S-32-alt", tmp_path / "weights.safetensors")
    encoder = OpenClipEncoder.load("ViT-S-32-alt", str(path), device="cpu")
    exact = OpenClipEncoder(
        encoder.fingerprint, encoder.model, encoder.transform, encoder.tokenizer, encoder.device, None
    )
    vectors, reference = encoder.encode_images(PICTURES[:4]), exact.encode_images(PICTURES[:4])
    assert vectors.shape == (4, 256)
    assert encoder.encode_texts(["romance"]).shape == (1, 256)
    # Half precision, where the processor has it, may not move a vector by more than storing it as float16 allows for.
    assert ((vectors * reference).sum(axis=1) > 0.999).all()
