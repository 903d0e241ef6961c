"""Searches over real vectors of the sample encoder: exact, filtered, and nothing of an upload is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import activate
from attune.labeler.assets.active_pool import open_pool
from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EncoderError, UnknownAsset
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import embed, explore_pool
from tests.support import factories

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Twenty embedded images; every other one is of the genre drama."""
    settings = reader.build(
        {},
        workspace=tmp_path_factory.mktemp("pool"),
        redis_url="redis://127.0.0.1:1/0",
        encoder=str(ENCODER_CONFIG),
        pretrained=str(ENCODER_WEIGHTS),
        resize_mode=ENCODER_RESIZE_MODE,
    )
    factories.newest(settings)
    assets = factories.add_assets(settings, 20, images=True)
    with writing(settings) as session:
        for number, asset in enumerate(assets):
            session.get_one(Asset, asset.id).columns = {"genre": ("drama", "comedy")[number % 2], "year": 2020 + number}
    embed.run(settings)
    yield settings
    engine(settings.records_url).dispose()


def names(result: dict[str, list[list[str]]]) -> list[str]:
    return [asset for asset, _ in result["hits"]]


def test_a_text_ranks_the_whole_pool_by_cosine(pool: Settings) -> None:
    found = explore_pool.run(pool, text="a red circle")
    vector = explore_pool._encoded(pool, Query(text="a red circle"))
    with reading(pool) as session:
        view = open_pool(pool, session)
    exact = view.pool.rows(np.arange(20)) @ vector
    assert names(found) == view.pool.asset_ids[np.argsort(-exact)].tolist()
    assert found["of"] == 20


def test_an_image_is_most_like_itself_and_an_upload_of_it_finds_it_and_is_gone(pool: Settings) -> None:
    with reading(pool) as session:
        asset = session.query(Asset).order_by(Asset.id).first()
    assert names(explore_pool.run(pool, like=asset.asset_id))[0] == asset.asset_id
    token = search.store_upload(pool, Path(asset.uri).read_bytes(), "mina")
    assert names(explore_pool.run(pool, image=token))[0] == asset.asset_id
    assert [path for path in pool.workspace.rglob("*") if path.is_file() and token in path.name] == []
    with pytest.raises(DataError, match="Upload it again"):
        explore_pool.run(pool, image=token)


def test_a_token_leads_out_of_no_folder(pool: Settings) -> None:
    with pytest.raises(DataError):
        search.take_upload(pool, "../../records.sqlite")


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"column": "genre", "value": "drama"}, 10), ({"column": "year", "value": "2021"}, 1), ({"title": "no such"}, 0)],
)
def test_a_filter_narrows_what_is_ranked(pool: Settings, given: dict[str, str], expected: int) -> None:
    found = explore_pool.run(pool, text="a circle", **given)
    assert (len(found["hits"]), found["of"]) == (expected, expected)


def test_a_removed_asset_is_never_found(pool: Settings) -> None:
    with reading(pool) as session:
        last = session.query(Asset).order_by(Asset.id.desc()).first()
    with writing(pool) as session:
        session.get_one(Asset, last.id).removed_at = now()
    try:
        assert last.asset_id not in names(explore_pool.run(pool, text="a circle"))
        with pytest.raises(UnknownAsset):
            explore_pool.run(pool, like=last.asset_id)
    finally:
        with writing(pool) as session:
            session.get_one(Asset, last.id).removed_at = None


def test_ready_made_vectors_are_searched_by_example_alone(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    ids = [asset.asset_id for asset in factories.add_assets(settings, 4)]
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 4)
    VectorStore(settings.vectors).append(made, ids, np.eye(4, dtype=np.float32))
    with writing(settings) as session:
        activate(session, made)
        session.flush()
        assert "--like ASSET_ID" in search.why_unread(session)
    assert names(explore_pool.run(settings, like=ids[2]))[0] == ids[2]
    for wanted in ({"text": "love"}, {"image": search.store_upload(settings, b"x", "mina")}):
        with pytest.raises(EncoderError, match="--like ASSET_ID"):
            explore_pool.run(settings, **wanted)
        with pytest.raises(EncoderError, match="--like ASSET_ID"):
            search.start(settings, search.Query(**wanted))
