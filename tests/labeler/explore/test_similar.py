"""Similar in a chosen space: whose artwork is kept apart, what "of another genre" means, and ways out where none is."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.explore.similar import similar
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, space_moves
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EmptyPool, UnknownAsset, UnknownProbe
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import learn_taste
from tests.support import factories
from tests.workers.jobs.test_learn_taste import genre_pool


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A workspace with a pool of four genres."""
    settings = factories.workspace(tmp_path_factory.mktemp("similar"))
    genre_pool(settings)
    return settings


def _asset(settings: Settings, number: int) -> Asset:
    with reading(settings) as session:
        return list(session.scalars(select(Asset).order_by(Asset.id)))[number]


def _genres(settings: Settings, ids: list[str]) -> list[str]:
    with reading(settings) as session:
        held = {one.asset_id: one.columns for one in session.scalars(select(Asset))}
    return [str(held[one]["genre"]) for one in ids]


def _shared(settings: Settings, example: Asset, space: str) -> int:
    found = similar(settings, example.asset_id, space, top=20)
    return _genres(settings, [name for name, _ in found.hits]).count(example.columns["genre"])


def test_taste_says_how_to_get_it_then_finds_more_of_the_genre(made: Settings) -> None:
    example = _asset(made, 1)
    with pytest.raises(UnknownProbe, match="attune spaces learn taste --labels genre"):
        similar(made, example.asset_id, "taste")
    learn_taste.run(made, tuned=False)
    with pytest.raises(UnknownProbe, match="attune spaces promote taste"):
        similar(made, example.asset_id, "taste")
    space_moves.promote(made, "taste", "1", "first", "ana")
    found = similar(made, example.asset_id, "taste", top=20)
    examples = [_asset(made, number) for number in range(1, 9)]
    by_taste, by_looks = (sum(_shared(made, one, space) for one in examples) for space in ("taste", "final"))
    assert by_taste > by_looks
    scores = [score for _, score in found.hits]
    assert scores == sorted(scores, reverse=True)
    with reading(made) as session:
        space, _ = learned.load(learned.champion(session))  # type: ignore[arg-type]
    store = VectorStore(made.vectors)
    names = [example.asset_id, found.hits[0][0]]
    with reading(made) as session:
        vectors = store.lookup(Fingerprint("open_clip", "test", "0" * 64, 24), names)
    seen = space.vectors(np.stack([vectors[name] for name in names]))
    cost = space.hub_weight
    assert cost == 0
    assert float(seen[0] @ seen[1]) == pytest.approx(scores[0], abs=2e-3)


def test_of_another_genre_leaves_out_whatever_shares_a_value(made: Settings) -> None:
    example = _asset(made, 1)
    found = similar(made, example.asset_id, "final", other="genre")
    genres = _genres(made, [name for name, _ in found.hits])
    assert example.columns["genre"] not in genres
    assert "" not in genres, "without a genre nobody knows whether it is another one"
    with pytest.raises(DataError, match="has no value in the column 'genre'"):
        similar(made, _asset(made, 0).asset_id, "final", other="genre")


def test_own_title_and_near_duplicates_are_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = factories.workspace(tmp_path_factory.mktemp("twins"))
    assets = factories.add_assets(settings, 8, per_title=1)
    x = np.random.default_rng(1).standard_normal((8, 16)).astype(np.float32)
    x[3] = x[0] + 0.01 * x[4]
    fingerprint = Fingerprint("open_clip", "test", "0" * 64, 16)
    ids = [one.asset_id for one in assets]
    VectorStore(settings.vectors).append(fingerprint, ids, x / np.linalg.norm(x, axis=1, keepdims=True))
    with writing(settings) as session:
        activate(session, fingerprint)
        for row in session.scalars(select(Asset).where(Asset.asset_id.in_([ids[0], ids[5]]))):
            row.title_id = "one title"
    found = similar(settings, ids[0])
    assert (list(found.own), list(found.twins)) == ([ids[5]], [ids[3]])
    assert sorted(name for name, _ in found.hits) == sorted({*ids} - {ids[0], ids[3], ids[5]})
    with writing(settings) as session:
        session.scalars(select(Asset).where(Asset.asset_id == ids[1])).one().removed_at = now()
    assert ids[1] not in [name for name, _ in similar(settings, ids[0]).hits], "the next page sees that it is gone"
    with pytest.raises(UnknownAsset):
        similar(settings, ids[1])
    with pytest.raises(EmptyPool, match="attune spaces layers colour"):
        similar(settings, ids[0], "colour")


def _plainly(settings: Settings, ids: list[str], x: np.ndarray, like: int, top: int) -> list[str]:
    """The nearest, by a product and a sort of everything."""
    rows = x.astype(np.float16).astype(np.float32)
    near = rows @ rows[like]
    return [ids[one] for one in np.argsort(-near, kind="stable") if one != like][:top]


def test_each_page_sees_what_was_added_moved_removed_and_restored(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = factories.workspace(tmp_path_factory.mktemp("fresh"))
    fingerprint = Fingerprint("open_clip", "test", "0" * 64, 16)
    store = VectorStore(settings.vectors)
    ids = [one.asset_id for one in factories.add_assets(settings, 12, per_title=1)]
    x = np.random.default_rng(4).standard_normal((12, 16)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    store.append(fingerprint, ids[:11], x[:11])
    with writing(settings) as session:
        activate(session, fingerprint)

    def seen() -> list[str]:
        return [name for name, _ in similar(settings, ids[0]).hits]

    assert seen() == _plainly(settings, ids[:11], x[:11], 0, 11)
    store.append(fingerprint, ids[11:], x[11:])
    assert seen() == _plainly(settings, ids, x, 0, 12)
    x[5] = -x[seen_first := ids.index(seen()[0])]  # an image shows another picture
    store.replace(fingerprint, [ids[5]], x[5:6])
    assert seen() == _plainly(settings, ids, x, 0, 12)
    for gone, there in ((now(), False), (None, True)):
        with writing(settings) as session:
            session.scalars(select(Asset).where(Asset.asset_id == ids[seen_first])).one().removed_at = gone
        assert (ids[seen_first] in seen()) is there
    with writing(settings) as session:  # as a table of assets does
        for row in session.scalars(select(Asset).where(Asset.asset_id.in_([ids[0], ids[3]]))):
            row.title_id = "one title"
    assert similar(settings, ids[0]).own == [ids[3]], "no image came or went, and its title is another"
    assert ids[3] not in seen()
