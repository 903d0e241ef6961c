"""Where an encoder runs, and in which precision its forward pass is faster there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attune.models.errors import EncoderError

if TYPE_CHECKING:
    import torch

# Below this many weights a CPU gains nothing by bfloat16, and float32 gives the same vectors on every machine.
LARGE = 30_000_000


def device_named(name: str) -> torch.device:
    """The torch device of a setting; auto is the best one there is. Raises EncoderError where it is not here."""
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except Exception as error:  # RuntimeError, AssertionError or NotImplementedError, by kind of device
        raise EncoderError(
            f"ATTUNE_DEVICE is {name!r}, but torch has no such device here. Set it to auto or cpu."
        ) from error
    return device


def half_precision(model: Any, device: torch.device) -> torch.dtype | None:
    """The autocast type that makes this model faster on this device; None for float32."""
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    weights = sum(parameter.numel() for parameter in model.visual.parameters())
    if device.type == "cpu" and weights >= LARGE and _cpu_has_bfloat16():
        return torch.bfloat16
    return None


def _cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 by itself; emulated it is slower than float32."""
    import torch

    looks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(bool(getattr(torch.cpu, look)()) for look in looks if hasattr(torch.cpu, look))
