"""One page of a longer list: found and counted in one pass, or in two."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.records.paging import page_of, page_of_keys
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from tests.labeler.catalog import worlds
from tests.support import factories


def test_one_pass_gives_the_pages_that_two_give(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    factories.newest(settings)
    worlds.add_assets(settings, 7)
    every = select(Asset.asset_id).order_by(Asset.asset_id)
    with reading(settings) as session:
        for query in (every, every.where(Asset.asset_id == "none")):
            for number in (-1, 1, 2, 3, 4, 99):
                one, two = page_of_keys(session, query, number, 3), page_of(session, query, number, 3)
                assert (list(one.items), one.number, one.total) == (list(two.items), two.number, two.total)
        assert page_of_keys(session, every, 99, 3).number == 3
