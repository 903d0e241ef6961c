"""A workspace in full swing, filled once: the read models only read."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Expert
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from tests.support import factories

OWNER = Viewer("owner", "olga@example.org")


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Four attributes in different states, three experts; see ``factories.add_studio``."""
    settings = factories.workspace(tmp_path_factory.mktemp("studio"))
    factories.add_studio(settings, images=False)
    return settings


@pytest.fixture(scope="session")
def ana(studio: Settings) -> Viewer:
    """The expert Ana."""
    with reading(studio) as session:
        expert = session.scalar(select(Expert).where(Expert.name == "Ana"))
    return Viewer("expert", expert.email, expert.id)


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Empty records."""
    return factories.workspace(tmp_path_factory.mktemp("empty"))
