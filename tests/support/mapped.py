"""A pool with vectors and a map, for tests: no encoder is loaded, and t-SNE takes few steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from attune.labeler.assets.active_encoder import activate
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.maps import layout
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import make_map
from tests.support import factories

MADE = Fingerprint("open_clip", "test", "0" * 64, 8)


def add(settings: Settings, count: int, images: bool = False, seed: int = 3, groups: int = 4) -> list[Asset]:
    """``count`` assets with vectors in a few groups."""
    assets = factories.add_assets(settings, count, images=images)
    embed(settings, assets, seed, groups)
    return assets


def embed(settings: Settings, assets: Sequence[Asset], seed: int = 3, groups: int = 4) -> None:
    rng = np.random.default_rng(seed)
    x = np.eye(8)[np.arange(len(assets)) % groups] + rng.normal(scale=0.2, size=(len(assets), 8))
    names = [asset.asset_id for asset in assets]
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    VectorStore(settings.vectors).append(MADE, names, x)
    with writing(settings) as session:
        activate(session, MADE)


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer steps of t-SNE."""
    monkeypatch.setattr(layout, "EARLY", 50)
    monkeypatch.setattr(layout, "LATE", 50)


def mapped(settings: Settings, monkeypatch: pytest.MonkeyPatch, count: int = 60, **more: Any) -> list[Asset]:
    """The assets of a pool that has a map."""
    assets = add(settings, count, **more)
    quick(monkeypatch)
    make_map.run(settings)
    return assets
