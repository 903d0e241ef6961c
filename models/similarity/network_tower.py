"""The image tower of an encoder as something to train: a copy, its last blocks, and its weights as safetensors."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EncoderError
from attune.models.files.atomic import digest_bytes
from attune.models.similarity.space_version import TOWER_NAME

if TYPE_CHECKING:
    import torch

    from attune.models.encoders.encoders import OpenClipEncoder

VIEW = "fine-tuned"
_METADATA = {"format": "attune-tower-1"}
# The blocks as open_clip and timm name them: transformer.resblocks.3, layer2, trunk.stages.1, trunk.blocks.5.
_BLOCK = re.compile(r"^.*?(?:resblocks\.|blocks\.|stages\.|layers\.|layer)(\d+)\.")
_AT_THE_END = ("proj",)  # applied last, and listed first by open_clip's ViTs
Tensors = Mapping[str, "torch.Tensor"]


def trained_names(tower: torch.nn.Module, blocks: int | None) -> list[str]:
    """The parameters of the last ``blocks`` blocks and of all that comes after them; None means all parameters.

    Raises EncoderError where the tower does not name its blocks.
    """
    names = [name for name, _ in tower.named_parameters()]
    if blocks is None:
        return names
    numbers = {name: int(found[1]) for name in names if (found := _BLOCK.match(name))}
    if not numbers:
        raise EncoderError(
            "The image tower of this encoder does not name its blocks, so its last ones cannot be trained alone. Train "
            "all of it: --fine-tune all"
        )
    first = sorted(set(numbers.values()))[-blocks:][0]
    start = next(place for place, name in enumerate(names) if numbers.get(name) == first)
    late = {name for place, name in enumerate(names) if place > start and name not in numbers}
    return [name for name in names if numbers.get(name, -1) >= first or name in late or name in _AT_THE_END]


def own_tower(encoder: OpenClipEncoder) -> OpenClipEncoder:
    """The encoder with an image tower of its own: what trains it leaves the other encoder as it is."""
    model = copy.copy(encoder.model)
    model._modules = dict(model._modules)  # a module's shallow copy shares the table of its parts
    model._modules["visual"] = copy.deepcopy(encoder.model.visual)
    return replace(encoder, model=model)


def read_weights(tower: torch.nn.Module, names: Sequence[str]) -> dict[str, torch.Tensor]:
    """Copies of the parameters ``names``, on the processor."""
    held = dict(tower.named_parameters())
    return {name: held[name].detach().cpu().clone().contiguous() for name in names}


def put_weights(tower: torch.nn.Module, tensors: Tensors) -> None:
    """Give the tower these weights. Raises DataError where it has no such parameter, or of another shape."""
    import torch

    held = dict(tower.named_parameters())
    for name, tensor in tensors.items():
        if name not in held or held[name].shape != tensor.shape:
            raise DataError(
                f"{TOWER_NAME} has {name} of the shape {tuple(tensor.shape)}, which the encoder's image tower has not. "
                "Use the encoder that manifest.json names under network.base."
            )
        with torch.no_grad():
            held[name].copy_(tensor)


def tower_bytes(tensors: Tensors) -> bytes:
    """The content of ``tower.safetensors``; equal numbers give equal bytes."""
    from safetensors.torch import save

    return save(dict(tensors), metadata=_METADATA)


def tuned_encoder(encoder: OpenClipEncoder, content: bytes) -> OpenClipEncoder:
    """The encoder with the weights of a ``tower.safetensors`` in its image tower, and a fingerprint of its own.

    Raises DataError where the bytes are not those of such a file, or of another encoder's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(content)
    except (SafetensorError, ValueError) as error:
        raise DataError(f"{TOWER_NAME} is not a safetensors file. Pull the space again.") from error
    mine = own_tower(encoder)
    put_weights(mine.model.visual, tensors)
    return replace(mine, fingerprint=tuned_fingerprint(encoder.fingerprint, content))


def tuned_fingerprint(base: Fingerprint, content: bytes) -> Fingerprint:
    """The fingerprint of vectors that the tower with the weights in ``content`` makes."""
    view: dict[str, Any] = {"view": VIEW, "tower": digest_bytes(content)}
    return replace(base, preprocessing={**base.preprocessing, **view})
