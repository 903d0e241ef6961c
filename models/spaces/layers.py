"""The spaces `layer:N`: what one block of the encoder's image tower holds, early (colour, edges) to late (objects).

open_clip's ``forward_intermediates`` gives each block's map for its own ViTs and ResNets and for towers of timm. Of
each channel the mean and the spread over the image are kept, so where something is in the image does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EncoderError
from attune.models.files.atomic import digest_bytes
from attune.models.spaces.components import Components
from attune.models.vectors.products import FloatArray

if TYPE_CHECKING:
    import torch

    from attune.models.encoders.encoders import OpenClipEncoder

POOL = "mean+std"
KEPT = 256  # components of a wide layer
USUAL = 4  # layers that are computed where none is named: the first, the last, and two between


def maps(encoder: OpenClipEncoder, tensors: torch.Tensor, layers: Sequence[int] | None = None) -> list[torch.Tensor]:
    """The maps (n, c, h, w) of the image tower's blocks ``layers``, ascending and counted from 0; None means all.

    Raises EncoderError where the tower has no such block, or open_clip cannot tell what its blocks hold.
    """
    import torch

    tower = encoder.model.visual
    if not hasattr(tower, "forward_intermediates"):
        raise EncoderError(_no_layers(encoder))
    half = torch.autocast(encoder.device.type, encoder.half, enabled=encoder.half is not None)
    with torch.inference_mode(), half:
        try:
            found = tower.forward_intermediates(
                tensors.to(encoder.device), indices=None if layers is None else list(layers), intermediates_only=True
            )
        except (AttributeError, NotImplementedError) as error:  # a tower of timm without this
            raise EncoderError(_no_layers(encoder)) from error
    intermediates: list[torch.Tensor] = found["image_intermediates"]
    return intermediates


def blank(encoder: OpenClipEncoder, layers: Sequence[int] | None = None) -> list[torch.Tensor]:
    """The maps of one image of zeros, which tell how many layers there are and how wide. Raises as ``maps`` does."""
    import torch

    size = encoder.model.visual.preprocess_cfg["size"]
    edges = size if isinstance(size, list | tuple) else (size, size)
    return maps(encoder, torch.zeros(1, 3, *edges), layers)


def check(encoder: OpenClipEncoder, layers: Sequence[int]) -> list[int]:
    """``layers`` ascending, each once; ``USUAL`` spaced ones where none is given. Raises EncoderError for others."""
    blocks = len(blank(encoder))
    if wrong := [layer for layer in layers if not 0 <= layer < blocks]:
        raise EncoderError(
            f"{encoder.fingerprint.model} has no layer {wrong[0]}. Its image tower has {blocks} layers: use layer:0 "
            f"to layer:{blocks - 1}."
        )
    return sorted(set(layers)) or spaced(blocks)


def spaced(blocks: int, wanted: int = USUAL) -> list[int]:
    """At most ``wanted`` of ``blocks`` layers, evenly spaced, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, blocks - 1, min(wanted, blocks))})


def pooled(found: torch.Tensor) -> FloatArray:
    """Of a map (n, c, h, w), or a row (n, c): each channel's mean and standard deviation, float32 (n, 2c)."""
    flat = found.float().reshape(found.shape[0], found.shape[1], -1)
    import torch

    both = torch.cat([flat.mean(dim=-1), flat.std(dim=-1, correction=0)], dim=1)
    return np.asarray(both.cpu().numpy(), dtype=np.float32)


def describe(index: int) -> dict[str, Any]:
    """What makes a layer's vectors, before its components are known."""
    return {"view": "layer", "index": index, "pool": POOL}


def fingerprint(base: Fingerprint, index: int, components: Components) -> Fingerprint:
    """The fingerprint of a layer's vectors: the encoder's, which layer, and the components that were kept."""
    view = describe(index) | {"components": digest_bytes(components.to_bytes())}
    preprocessing = {**base.preprocessing, **view}
    return Fingerprint(base.library, base.model, base.weights, len(components.directions), True, preprocessing)


def _no_layers(encoder: OpenClipEncoder) -> str:
    return (
        f"The image tower of {encoder.fingerprint.model} does not show its layers. Use the space `final` or `colour`, "
        "or another encoder: `attune encoder list`"
    )
