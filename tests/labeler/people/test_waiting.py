"""What a viewer is still to answer, in a queue or on a page of images: on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from attune.labeler.people.viewer import Viewer, waiting
from attune.labeler.records.schema import Queue
from attune.labeler.records.session import engine, reading
from tests.support import databases, factories
from tests.support.page_desk import PageDesk


@pytest.mark.parametrize("kind", databases.BOTH)
def test_open_questions_and_the_images_of_open_pages_wait(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = {"database_url": request.getfixturevalue("postgresql")(migrated=True)} if kind == "postgresql" else {}
    settings = factories.workspace(tmp_path, **url)
    try:
        desk = PageDesk(settings, 2)
        (asset,) = factories.add_assets(settings, 1)
        with reading(settings) as session:
            queue = session.scalars(select(Queue).where(Queue.expert_id == desk.ana.id)).one()
        factories.add_task(settings, queue, asset)
        with reading(settings) as session:
            both = Viewer("owner", desk.ana.email, desk.ana.id)
            assert sorted(session.scalars(waiting(both))) == sorted(
                [*(key for page in desk.pages for key in page.asset_pks), asset.id]
            )
            assert not session.scalars(waiting(Viewer("owner", "olga@example.org"))).all()
    finally:
        engine(settings.records_url).dispose()
