"""A workspace, a folder of drawings, and the project's own small encoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from attune.labeler.demo import prepare
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from tests.support.factories import picture, workspace


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A fresh workspace whose encoder is the sample's."""
    made = workspace(
        tmp_path / "workspace",
        **prepare.encoder_settings(),
        device="cpu",
        redis_port=1,  # nobody listens there: no worker is alive
        label_studio_port=1,
    )
    yield made
    engine(made.records_url).dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with six drawings, two of them in folders of their own."""
    made = tmp_path / "images"
    for number, name in enumerate(["a.jpg", "b.jpg", "c.jpg", "d.jpg", "one/e.jpg", "two/f.jpg"]):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(picture(number))
    return made


def write_vectors(path: Path, ids: list[str], dimension: int = 8, seed: int = 0) -> npt.NDArray[np.float32]:
    """An .npz of unit vectors under ``ids``; returns them."""
    matrix = np.random.default_rng(seed).normal(size=(len(ids), dimension)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    np.savez(path, ids=np.array(ids), vectors=matrix)
    return matrix
