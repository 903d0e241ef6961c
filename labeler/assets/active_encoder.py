"""The active encoder: the one whose vectors make the pool, and the prompts that its text tower turns into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Encoder
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EncoderMismatch
from attune.models.files.atomic import digest_bytes, write_bytes
from attune.models.vectors.products import FloatArray

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder

OF_THE_POOL = ("encoder", "pretrained", "resize_mode")  # settings that name an encoder
SET_BACK = (
    "Set ATTUNE_ENCODER, ATTUNE_PRETRAINED and ATTUNE_RESIZE_MODE to the pool's encoder. Or change the pool "
    "(`attune encoder use NAME`), or use another workspace (--workspace)."
)


def active_encoder(session: Session) -> Encoder | None:
    """The encoder whose vectors make the pool, or None in an empty workspace."""
    return session.scalar(select(Encoder).where(Encoder.active.is_(True)))


def active_fingerprint(session: Session) -> Fingerprint | None:
    """The fingerprint of the active encoder; None in an empty workspace."""
    encoder = active_encoder(session)
    return None if encoder is None else Fingerprint.from_dict(encoder.fingerprint)


def activate(session: Session, fingerprint: Fingerprint) -> None:
    """Make ``fingerprint`` the one active encoder."""
    before = active_encoder(session)
    if before is not None:
        before.active = False
        session.flush()
    encoder = session.scalar(select(Encoder).where(Encoder.digest == fingerprint.digest))
    if encoder is None:
        encoder = Encoder(digest=fingerprint.digest, fingerprint=fingerprint.to_dict(), added_at=now())
        session.add(encoder)
    encoder.active = True


def check_settings(settings: Settings, active: Fingerprint | None) -> None:
    """Find the weights of the settings' encoder and compare what can be known without loading them.

    Raises UnknownEncoder, WeightsUnavailable within 10 s, and EncoderMismatch where the active one is another.
    """
    from attune.models.encoders.weights import locate

    checkpoint = locate(settings.encoder, settings.pretrained)
    facts = (checkpoint.model, checkpoint.digest, settings.resize_mode)
    if active is not None and facts != (active.model, active.weights, active.preprocessing.get("resize_mode")):
        raise EncoderMismatch(
            f"The pool's encoder is {active}, resize mode {active.preprocessing.get('resize_mode')}. The "
            f"settings name {checkpoint.model} with weights {checkpoint.digest[:12]}, resize mode "
            f"{settings.resize_mode}. {SET_BACK}"
        )


def loaded_encoder(settings: Settings) -> OpenClipEncoder:
    """The encoder of the settings, loaded once a process, and active from now on in an empty workspace.

    Raises EncoderMismatch, with both named, where the pool's vectors are another encoder's; and what loading raises.
    """
    encoder = load(settings)
    with writing(settings) as session:
        active = active_fingerprint(session)
        if active is None:
            activate(session, encoder.fingerprint)
        else:
            active.require(encoder.fingerprint, "The pool's encoder", SET_BACK)
    return encoder


def load(settings: Settings) -> OpenClipEncoder:
    """The encoder of the settings, loaded once a process, whatever the pool is of. Raises what loading raises."""
    return _load(settings.encoder, settings.pretrained, settings.resize_mode, settings.device, settings.embed_batch)


@lru_cache(maxsize=2)
def _load(model: str, pretrained: str, resize_mode: str, device: str, batch: int) -> OpenClipEncoder:
    from attune.models.encoders.encoders import OpenClipEncoder

    return OpenClipEncoder.load(model, pretrained, resize_mode, device, batch)


def prompt_vectors(settings: Settings, texts: Sequence[str]) -> FloatArray | None:
    """The vectors of prompts in the pool's space: float32 (n, d) of unit length, cached on disk by encoder and text.

    None where the pool's vectors came ready-made: then there is no text tower. Torch is loaded for new prompts alone.
    """
    with reading(settings) as session:
        active = active_fingerprint(session)
    if active is not None and active.is_external:
        return None
    cached = {text: _cached_vector(settings, active, text) for text in dict.fromkeys(texts)}
    if missing := [text for text, vector in cached.items() if vector is None]:
        encoder = loaded_encoder(settings)
        for text, vector in zip(missing, encoder.encode_texts(missing), strict=True):
            write_bytes(_place(settings, encoder.fingerprint, text), np.asarray(vector, dtype="<f4").tobytes())
            cached[text] = vector
        active = encoder.fingerprint
    rows = [vector for text in texts if (vector := cached[text]) is not None]
    return np.stack(rows) if rows else np.empty((0, active.dimension if active else 0), dtype=np.float32)


def _cached_vector(settings: Settings, fingerprint: Fingerprint | None, text: str) -> FloatArray | None:
    if fingerprint is None:
        return None
    try:
        content = _place(settings, fingerprint, text).read_bytes()
    except FileNotFoundError:
        return None
    vector = np.frombuffer(content, dtype="<f4")
    return vector if len(vector) == fingerprint.dimension else None


def _place(settings: Settings, fingerprint: Fingerprint, text: str) -> Path:
    return settings.workspace / "cache" / "prompts" / fingerprint.digest / f"{digest_bytes(text.encode())}.f32"
