"""open_clip encoders: any of its models by name, or a config and a checkpoint file of one's own, behind one surface."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from attune.models.encoders import open_clip_table as table
from attune.models.encoders.devices import device_named, half_precision
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.encoders.open_clip_import import open_clip_for
from attune.models.encoders.weights import WAYS_OUT, Checkpoint, locate
from attune.models.errors import EncoderError, WeightsUnavailable
from attune.models.files.atomic import digest_json, write_json
from attune.models.vectors.products import FloatArray

if TYPE_CHECKING:
    import torch

    from attune.models.encoders.embedding import Stages

RESIZE_MODES = ("longest", "squash", "shortest")
# A half-precision forward pass must stay this close (cosine) to the float32 one, or it is not used. Stored vectors are
# float16, whose own rounding is of the same order.
CLOSE = 0.999


@dataclass(frozen=True, eq=False)
class OpenClipEncoder:
    """An image tower and a text tower of one space, on one device, batched.

    Made by ``OpenClipEncoder.load``. ``half`` is the type of the autocast forward pass, or None for float32.
    """

    fingerprint: Fingerprint
    model: Any
    transform: Any
    tokenizer: Any
    device: torch.device
    half: torch.dtype | None
    batch: int = 64

    @classmethod
    def load(
        cls, model: str, pretrained: str, resize_mode: str = "longest", device: str = "auto", batch: int = 64
    ) -> OpenClipEncoder:
        """The encoder of an open_clip ``model`` (name or JSON config) and ``pretrained`` (tag or checkpoint file).

        ``resize_mode`` is longest (the whole picture, padded), squash or shortest (crops). Raises UnknownEncoder,
        WeightsUnavailable within 10 s, and EncoderError for a checkpoint that does not fit or an unknown mode.
        """
        return cls.from_checkpoint(locate(model, pretrained), resize_mode, device, batch)

    @classmethod
    def from_checkpoint(
        cls, checkpoint: Checkpoint, resize_mode: str = "longest", device: str = "auto", batch: int = 64
    ) -> OpenClipEncoder:
        """The encoder of a checkpoint that was located before."""
        open_clip = open_clip_for(_architecture(checkpoint))
        check_resize_mode(resize_mode)
        device_name = device_named(device)
        with _quiet(), _registered(open_clip, checkpoint) as name:
            try:
                model, transform = open_clip.create_model_from_pretrained(
                    name,
                    str(checkpoint.path),
                    device=device_name,
                    force_quick_gelu=checkpoint.quick_gelu,
                    image_mean=_pair(checkpoint.preprocessing, "mean"),
                    image_std=_pair(checkpoint.preprocessing, "std"),
                    image_interpolation=checkpoint.preprocessing.get("interpolation"),
                    image_resize_mode=resize_mode,
                )
            except Exception as error:  # torch, safetensors and open_clip each raise their own kinds
                raise EncoderError(_misfit(checkpoint, error)) from error
            tokenizer = _tokenizer(open_clip, name, checkpoint)
        model.eval()
        encoder = cls(_fingerprint(checkpoint, model), model, transform, tokenizer, device_name, None, batch)
        half = half_precision(model, device_name)
        return encoder if half is None else encoder._with_half(half)

    @property
    def dimension(self) -> int:
        """The length d of a vector."""
        return self.fingerprint.dimension

    def prepare(self, image: Image.Image) -> torch.Tensor:
        """One RGB image as the model takes it: float32 (3, size, size). May run in a thread."""
        tensor: torch.Tensor = self.transform(image)
        return tensor

    @contextmanager
    def stages(self, images: int) -> Iterator[Stages]:
        """How to embed so many ``images`` from their bytes on: `attune.models.encoders.embedding` runs them."""
        from attune.models.encoders.embedding import PlainStages
        from attune.models.encoders.staged_images import staged

        with staged(self, images) as own:
            yield own or PlainStages(self)

    def encode_normalised(self, batch: torch.Tensor) -> FloatArray:
        """Vectors of images that are on the device as the model takes them, float32 (n, 3, h, w), in parts."""
        return self._batched(batch, lambda part: self._forward(self.model.encode_image, part))

    def encode_prepared(self, tensors: Sequence[torch.Tensor]) -> FloatArray:
        """Vectors of prepared images: float32 (n, d) of unit length."""
        import torch

        return self._batched(tensors, lambda part: self._forward(self.model.encode_image, torch.stack(list(part))))

    def encode_images(self, images: Sequence[Image.Image]) -> FloatArray:
        """Vectors of RGB images: float32 (n, d) of unit length."""
        return self.encode_prepared([self.prepare(image) for image in images])

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of texts in the same space: float32 (n, d) of unit length. A long text is cut by the tokenizer."""
        return self._batched(texts, lambda part: self._forward(self.model.encode_text, self.tokenizer(list(part))))

    def _batched(self, items: Any, encode: Any) -> FloatArray:
        parts = [encode(items[start : start + self.batch]) for start in range(0, len(items), self.batch)]
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), dtype=np.float32)

    def _forward(self, tower: Any, inputs: torch.Tensor) -> FloatArray:
        import torch

        with torch.inference_mode(), torch.autocast(self.device.type, self.half, enabled=self.half is not None):
            out = tower(inputs.to(self.device)).float()
            unit = torch.nn.functional.normalize(out, dim=-1)
        return np.asarray(unit.cpu().numpy(), dtype=np.float32)

    def _with_half(self, half: torch.dtype) -> OpenClipEncoder:
        """This encoder with the faster forward pass, if its vectors stay close; else as it is."""
        import torch

        faster = OpenClipEncoder(
            self.fingerprint, self.model, self.transform, self.tokenizer, self.device, half, self.batch
        )
        size = self.model.visual.preprocess_cfg["size"]
        shape = (2, 3, *(size if isinstance(size, list | tuple) else (size, size)))
        probe = torch.linspace(-2, 2, int(np.prod(shape))).sin().reshape(shape)
        exact, rough = (candidate._forward(self.model.encode_image, probe) for candidate in (self, faster))
        return faster if bool(np.all((exact * rough).sum(axis=1) >= CLOSE)) else self


def _architecture(checkpoint: Checkpoint) -> Mapping[str, Any] | None:
    """The config of the checkpoint's model, or None where open_clip has none of this name."""
    if checkpoint.config is not None:
        return checkpoint.config
    try:
        return table.config_of(checkpoint.name)
    except KeyError:
        return None


def _tokenizer(open_clip: ModuleType, name: str, checkpoint: Checkpoint) -> Any:
    try:
        return open_clip.get_tokenizer(name)
    except Exception as error:  # some models' tokenizers are on the hub, whose client raises many kinds
        raise WeightsUnavailable(
            f"The tokenizer of {checkpoint.name} is not on this computer and cannot be downloaded. {WAYS_OUT}"
        ) from error


def check_resize_mode(resize_mode: str) -> None:
    """Raise EncoderError unless open_clip knows the resize mode."""
    if resize_mode not in RESIZE_MODES:
        raise EncoderError(f"ATTUNE_RESIZE_MODE is {resize_mode!r}. Expected one of {', '.join(RESIZE_MODES)}.")


def _fingerprint(checkpoint: Checkpoint, model: Any) -> Fingerprint:
    preprocessing = dict(model.visual.preprocess_cfg)
    size = preprocessing["size"]
    preprocessing["size"] = list(size) if isinstance(size, list | tuple) else [size, size]
    dimension = _dimension(model)
    return Fingerprint("open_clip", checkpoint.model, checkpoint.digest, dimension, True, preprocessing)


def _dimension(model: Any) -> int:
    import torch

    size = model.visual.preprocess_cfg["size"]
    edges = size if isinstance(size, list | tuple) else (size, size)
    device = next(model.parameters()).device
    with torch.inference_mode():
        return int(model.encode_image(torch.zeros(1, 3, *edges, device=device)).shape[-1])


def _pair(preprocessing: Any, name: str) -> tuple[float, ...] | None:
    values = preprocessing.get(name)
    return tuple(values) if values else None


def _misfit(checkpoint: Checkpoint, error: Exception) -> str:
    fits = "the sizes of its tensors differ" if "size mismatch" in str(error) else "it has other tensors, or none"
    return (
        f"The checkpoint {checkpoint.path} does not fit {checkpoint.name}: {fits}. Set ATTUNE_ENCODER and "
        "ATTUNE_PRETRAINED to a model and weights that fit. A .pt file must contain only tensors."
    )


@contextmanager
def _registered(open_clip: ModuleType, checkpoint: Checkpoint) -> Iterator[str]:
    """The name under which open_clip finds the model; a config of one's own is registered under a private one."""
    if checkpoint.config is None:
        yield checkpoint.name
        return
    name = f"attune-{digest_json(checkpoint.config)[:24]}"
    if name not in open_clip.list_models():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.json"
            write_json(path, checkpoint.config)
            open_clip.add_model_config(path)
    yield name


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep open_clip's log lines about each step of loading to itself; errors still come as exceptions."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(open_clip|timm|torch|huggingface_hub)\b")
            yield
    finally:
        logging.disable(before)
