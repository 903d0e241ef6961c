"""Fixtures of the catalog's tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labeler import settings as reader
from labeler.records.session import engine
from labeler.settings import Settings
from tests.labeler.catalog import worlds


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three runs of ``serious`` and one of ``romance``, to be copied."""
    made = worlds.make(tmp_path_factory.mktemp("filled"))
    for quality in (0.6, 0.7, 0.8):
        worlds.add_run(made, "serious", quality)
    worlds.add_run(made, "romance")
    engine(made.records_url).dispose()
    return made.workspace


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    """A workspace with three runs of ``serious`` and one of ``romance``."""
    shutil.copytree(filled, tmp_path / "workspace")
    return reader.build({}, workspace=tmp_path / "workspace")
