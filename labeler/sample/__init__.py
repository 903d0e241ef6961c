"""The sample: drawings with known latent values, experts who disagree about them, a small encoder that knows no more.

Importing this loads neither Pillow nor torch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attune.labeler.sample.questions import ATTRIBUTES, SampleAttribute

if TYPE_CHECKING:
    from attune.labeler.sample.catalogue import Catalogue
    from attune.labeler.sample.simulated_experts import Expert
    from attune.models.encoders.fingerprint import Fingerprint

ENCODER_CONFIG = Path(__file__).with_name("encoder") / "attune-sample.json"
"""open_clip model configuration; its stem is the model's name once it is registered."""
ENCODER_WEIGHTS = ENCODER_CONFIG.with_suffix(".safetensors")
"""float16 weights for it."""
ENCODER_RESIZE_MODE = "squash"
"""open_clip's image_resize_mode that the encoder was trained with."""

__all__ = [
    "ATTRIBUTES",
    "ENCODER_CONFIG",
    "ENCODER_RESIZE_MODE",
    "ENCODER_WEIGHTS",
    "SampleAttribute",
    "is_sample_encoder",
    "stock_experts",
    "write_catalogue",
]


def is_sample_encoder(fingerprint: Fingerprint) -> bool:
    """Whether ``fingerprint`` is of the sample's encoder, which knows nothing but the sample's drawings."""
    return fingerprint.model.partition("@")[0] == ENCODER_CONFIG.stem


def write_catalogue(
    folder: Path, n_images: int = 1600, seed: int = 7, progress: Callable[[int, int], None] | None = None
) -> Catalogue:
    """Draw the sample catalogue into ``folder``; see `attune.labeler.sample.catalogue.write_catalogue`."""
    from attune.labeler.sample.catalogue import write_catalogue as write

    return write(folder, n_images, seed, progress)


def stock_experts(catalogue: Catalogue | Path) -> tuple[Expert, Expert, Expert]:
    """Ana, Ben and Chloe, who answer about ``catalogue`` (or the folder that holds it)."""
    from attune.labeler.sample.simulated_experts import stock_experts as experts

    return experts(catalogue)
