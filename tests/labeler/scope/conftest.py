"""Two groups that wait for a decision."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import update

from attune.labeler.answers import ingest
from attune.labeler.label_studio import grid_project
from attune.labeler.labelling import availability, take_chosen
from attune.labeler.records.schema import GridPage
from attune.labeler.records.session import writing
from attune.labeler.scope import groups
from attune.labeler.scope.groups import Groups
from tests.support import factories
from tests.support.page_desk import PageDesk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PageDesk:
    """Ana with one page that waits, the first 12 images; the last 12 wait on Bo's page. Two groups to decide about."""
    made, numbers = PageDesk(factories.workspace(tmp_path / "workspace"), 3), count(800)
    monkeypatch.setattr(take_chosen, "label_studio", lambda _: made.store)
    monkeypatch.setattr(availability, "is_available", lambda _: True)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    monkeypatch.setattr(grid_project, "add", lambda *_: next(numbers))
    with writing(made.settings) as session:
        for page in made.pages[1:]:
            session.execute(update(GridPage).where(GridPage.id == page.id).values(state="retired"))
    kept = [[made.assets[place].id for place in range(start, start + 8)] for start in (12, 20)]
    groups.save(made.settings, made.attribute.id, Groups(1, 1, 0, kept))
    return made
