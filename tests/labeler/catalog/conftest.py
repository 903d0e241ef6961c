"""Fixtures of the catalog's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from labeler.settings import Settings
from tests.labeler.catalog import worlds


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A workspace with three runs of ``serious`` and one of ``romance``."""
    made = worlds.make(tmp_path / "workspace")
    for quality in (0.6, 0.7, 0.8):
        worlds.add_run(made, "serious", quality)
    worlds.add_run(made, "romance")
    return made
