"""Two owners who decide about the same images at the same moment: one is refused, and no image or title is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from attune.labeler.assets.remove import remove
from attune.labeler.explore import look_alikes
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import engine, reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from tests.labeler.people.test_access_at_once import at_once
from tests.support import databases, factories


@pytest.fixture(params=databases.BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Two images of two titles; no Redis."""
    url = databases.database(request)
    made = factories.workspace(tmp_path, redis_url="unix:///nowhere.sock", database_url=url)
    factories.add_assets(made, 2, per_title=1)
    yield made
    engine(made.records_url).dispose()


def pool(settings: Settings) -> list[Asset]:
    with reading(settings) as session:
        return list(session.scalars(select(Asset).where(Asset.removed_at.is_(None)).order_by(Asset.id)))


def test_two_who_keep_different_images_leave_one(settings: Settings) -> None:
    one, two = (asset.asset_id for asset in pool(settings))
    raised = at_once(settings, lambda: remove(settings, [two], kept=one), lambda: remove(settings, [one], kept=two))
    assert [type(error) for error in raised if error] == [DataError]
    assert len(pool(settings)) == 1


def test_two_who_choose_each_others_title_do_not_swap_them(settings: Settings) -> None:
    before = pool(settings)
    ids, titles = [asset.asset_id for asset in before], [asset.title_id for asset in before]
    raised = at_once(
        settings,
        *(lambda title=title: look_alikes.same_title(settings, ids, title, "olga") for title in titles),
    )
    assert [type(error) for error in raised if error] == [DataError]
    assert len({asset.title_id for asset in pool(settings)}) == 1
