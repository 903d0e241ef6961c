"""Fixtures of the catalog's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler.settings import Settings
from tests.labeler.catalog import worlds


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A workspace with three runs of ``serious`` and one of ``romance``."""
    return worlds.filled(tmp_path / "workspace")
