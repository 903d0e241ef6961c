"""An encoder for images that are not to come into the pool: the workspace's, a named one, or that of a fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from attune.labeler.assets.active_encoder import SET_BACK, active_fingerprint, load
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EncoderError, EncoderMismatch, WeightsUnavailable

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder
    from attune.models.encoders.weights import Checkpoint


def choose_encoder(settings: Settings, name: str | None, pretrained: str | None, resize_mode: str | None) -> Settings:
    """``settings`` with the encoder that a command names; as they are where it names none.

    Raises DataError for weights without a model, and what ``attune.models.encoders.choice.choose`` raises.
    """
    if name is None and pretrained is not None:
        raise DataError(f"--pretrained {pretrained} names weights, but no model. Add --encoder MODEL.")
    fitted = settings if resize_mode is None else replace(settings, resize_mode=resize_mode)
    if name is None:
        return fitted
    from attune.models.encoders.choice import choose

    model, weights = choose(name, pretrained)
    return replace(fitted, encoder=model, pretrained=weights)


def of_workspace(settings: Settings) -> OpenClipEncoder:
    """The encoder that the pool is of; that of the settings where there is no pool yet. Nothing is recorded.

    Raises EncoderMismatch where the settings name another one, or the pool's vectors came ready-made; and what loading
    raises.
    """
    with reading(settings) as session:
        active = active_fingerprint(session)
    if active is not None and active.is_external:
        raise EncoderMismatch(
            f"This workspace uses supplied vectors ({active}), so it has no encoder for new images. Name the "
            "encoder that made them: --encoder MODEL --pretrained TAG"
        )
    encoder = load(settings)
    if active is not None:
        active.require(encoder.fingerprint, "The pool's encoder", SET_BACK)
    return encoder


def of_fingerprint(settings: Settings, required: Fingerprint, holder: str) -> OpenClipEncoder:
    """The encoder with exactly this fingerprint, if this machine has it; ``holder`` says whose it is.

    Raises EncoderMismatch for ready-made vectors, WeightsUnavailable where no encoder here is the one.
    """
    from attune.models.encoders.encoders import OpenClipEncoder

    if required.is_external:
        raise EncoderMismatch(
            f"{holder} uses supplied vectors ({required}), so Attune has no encoder for new images. Supply their "
            "vectors, too: --vectors FILE"
        )
    resize_mode = str(required.preprocessing.get("resize_mode", settings.resize_mode))
    for checkpoint in _candidates(settings, required.model):
        if (checkpoint.model, checkpoint.digest) == (required.model, required.weights):
            encoder = OpenClipEncoder.from_checkpoint(checkpoint, resize_mode, settings.device, settings.embed_batch)
            if encoder.fingerprint == required:
                return encoder
    raise WeightsUnavailable(
        f"{holder} uses {required}, which is not on this computer (the settings name {settings.encoder} with "
        f"{settings.pretrained}). Add --encoder MODEL --pretrained TAG or FILE (`attune encoder list --here` "
        "lists them). Or embed the images on another computer (`attune embed PATH --to vectors.parquet`), then "
        "score that file here with --vectors."
    )


def _candidates(settings: Settings, model: str) -> Iterator[Checkpoint]:
    """Weights that could be those of ``model``: the settings', the sample's, and those of open_clip that are here."""
    from attune.labeler.sample import ENCODER_CONFIG, ENCODER_WEIGHTS
    from attune.models.encoders import open_clip_table as table
    from attune.models.encoders.weights import locate, locate_cached

    name = model.partition("@")[0].partition("+")[0]
    pairs = [(settings.encoder, settings.pretrained), (str(ENCODER_CONFIG), str(ENCODER_WEIGHTS))]
    for encoder, pretrained in pairs:
        # Only then: locating a name that is not here would fetch it, however large.
        if encoder.endswith(".json") or encoder.replace("/", "-") == name:
            yield locate(encoder, pretrained)
    for tag in table.tags_of(name) if name in table.model_names() else ():
        if checkpoint := locate_cached(name, tag):
            yield checkpoint


def missing(settings: Settings) -> str:
    """What to do before images can be added, where the settings' encoder is not on this machine; empty where it is.

    Nothing is asked of a network, and torch is not loaded.
    """
    from attune.models.encoders.weights import locate_cached

    try:
        if locate_cached(settings.encoder, settings.pretrained) is not None:
            return ""
    except EncoderError as error:
        return str(error)
    return (
        f"The encoder {settings.encoder} with {settings.pretrained} is not on this computer. With a network, "
        "`attune assets add` downloads it. Without a network, use a checkpoint file or a hub's cache (`attune "
        "encoder use MODEL --pretrained PATH`), or supply vectors (`attune assets add PATH --vectors FILE`). "
        "To test the encoder: `attune encoder check`"
    )
