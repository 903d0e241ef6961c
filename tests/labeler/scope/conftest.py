"""Two groups that wait for a decision."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import update

from attune.labeler.answers import ingest
from attune.labeler.label_studio import grid_project
from attune.labeler.labelling import availability, take_chosen
from attune.labeler.records.schema import GridPage
from attune.labeler.records.session import engine, writing
from attune.labeler.scope import groups
from attune.labeler.scope.groups import Groups
from tests.support import databases, factories
from tests.support.page_desk import PageDesk


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageDesk]:
    """Ana with one page that waits, the first 12 images; the last 12 wait on Bo's page. Two groups to decide about."""
    address = databases.database(request) if hasattr(request, "param") else None
    settings = factories.workspace(tmp_path / "workspace", database_url=address)
    made, numbers = PageDesk(settings, 3), count(800)
    monkeypatch.setattr(take_chosen, "label_studio", lambda _: made.store)
    monkeypatch.setattr(availability, "is_available", lambda _: True)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    monkeypatch.setattr(grid_project, "add", lambda *_: next(numbers))
    with writing(made.settings) as session:
        for page in made.pages[1:]:
            session.execute(update(GridPage).where(GridPage.id == page.id).values(state="retired"))
    kept = [[made.assets[place].id for place in range(start, start + 8)] for start in (12, 20)]
    groups.save(made.settings, made.attribute.id, Groups(1, 1, 0, kept))
    yield made
    engine(settings.records_url).dispose()
