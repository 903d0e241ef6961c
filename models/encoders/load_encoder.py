"""An encoder for a script, by the names that `attune encoder use` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune.models.encoders.open_clip_import import open_clip_for
from attune.models.errors import EncoderNotInstalled
from attune.models.reasons import missing_extra

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder


def load_encoder(
    name: str,
    pretrained: str | None = None,
    *,
    resize_mode: str = "longest",
    device: str = "auto",
) -> OpenClipEncoder:
    """Load an open_clip encoder: it turns images and texts into unit-length vectors of one space.

    ``name`` is a model of open_clip (``ViT-B-32``), a JSON config, a checkpoint file with its config beside it, or a
    folder that holds both or a hub's cache; ``pretrained`` a tag, a checkpoint file or such a folder (None: the only
    one there is). ``resize_mode`` is longest (the whole picture, padded), squash or shortest (crops); ``device`` auto,
    cpu, cuda or mps. Weights that this machine lacks are fetched if it has a network. Raises UnknownEncoder,
    WeightsUnavailable, EncoderError, EncoderNotInstalled, and DataError where the weights are not named. For example::

        encoder = attune.load_encoder("ViT-B-32", "laion2b_s34b_b79k")
        encoder.encode_images([Image.open("poster.jpg").convert("RGB")])    # float32 (1, 512)
        encoder.encode_texts(["a serious face"])                            # float32 (1, 512)
        encoder.fingerprint == probe.encoder                                # may this probe read the vectors?
    """
    try:
        open_clip_for(None)  # all of it, as the program that calls may use it as well
        import torch  # noqa: F401 - the largest of the extra's packages

        from attune.models.encoders.choice import choose
        from attune.models.encoders.encoders import OpenClipEncoder
    except ModuleNotFoundError as error:
        if message := missing_extra(error):
            raise EncoderNotInstalled(message) from error
        raise
    return OpenClipEncoder.load(*choose(name, pretrained), resize_mode=resize_mode, device=device)
