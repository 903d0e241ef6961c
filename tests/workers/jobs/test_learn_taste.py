"""The job `learn_taste` and the registry of spaces: versions, champion, rollback, and a pull that works with numpy."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.records.schema import Asset, SpaceVersion
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, space_moves
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import SPACES, Reference
from attune.models.catalog.pull_probe import pull, pull_space
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import CatalogError, DataError, UnknownProbe
from attune.models.similarity.space_folder import read_folder
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import learn_taste
from tests.support import factories

GENRES = ("drama", "comedy", "horror", "western")


def genre_pool(settings: Settings, count: int = 240, images: bool = False) -> list[Asset]:
    """Posters whose first four numbers say their genre, under much that says nothing."""
    rng = np.random.default_rng(5)
    assets = factories.add_assets(settings, count, images=images)
    genre = rng.integers(4, size=count)
    x = rng.standard_normal((count, 24)).astype(np.float32)
    x[np.arange(count), genre] += 2.0
    made = Fingerprint("open_clip", "test", "0" * 64, 24)
    ids = [one.asset_id for one in assets]
    VectorStore(settings.vectors).append(made, ids, x / np.linalg.norm(x, axis=1, keepdims=True))
    with writing(settings) as session:
        activate(session, made)
        for row, one in enumerate(session.scalars(select(Asset).order_by(Asset.id))):
            one.title_id = f"title-{row // 2}"  # by its place: which titles are held out goes by their names
            one.columns = {"genre": GENRES[genre[row]] if row % 9 else ""}
    return assets


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A workspace with one version, learned once for all tests here."""
    settings = factories.workspace(tmp_path_factory.mktemp("taste"))
    genre_pool(settings)
    learn_taste.run(settings, tuned=False, who="ana")
    return settings


def test_a_version_is_better_than_raw_on_titles_it_never_saw_and_says_so(made: Settings) -> None:
    with reading(made) as session:
        space, manifest = learned.load(learned.find(session, Reference("taste", "1", SPACES)))
    measures = manifest.facts.measures
    assert measures is not None
    assert measures["space"]["precision"]["value"] > measures["raw"]["precision"]["value"] + 0.1
    assert measures["ridge"]["precision"]["lo"] <= measures["ridge"]["precision"]["value"]
    assert manifest.facts.labels == tuple(sorted(GENRES))
    assert space.dimension == 24


def test_learning_the_same_again_makes_no_second_version_and_another_seed_does(made: Settings) -> None:
    assert learn_taste.run(made, tuned=False, who="ben")["version"] == 1
    assert learn_taste.run(made, tuned=False, seed=7)["version"] == 2
    with reading(made) as session:
        assert session.scalar(select(func.count()).select_from(SpaceVersion)) == 2


def test_promotion_needs_a_reason_and_a_rollback_undoes_it(made: Settings) -> None:
    with pytest.raises(DataError, match="reason"):
        space_moves.promote(made, "taste", "1", "  ", "ana")
    space_moves.promote(made, "taste", "1", "the first", "ana")
    space_moves.promote(made, "taste", "latest", "another seed", "ana")
    space_moves.promote(made, "taste", "latest", "sent twice", "ana")
    space_moves.rollback(made, "taste", "it was worse", "olga")
    with reading(made) as session:
        told = [(line.action, line.version, line.before, line.reason) for line in learned.lines(session, "taste")]
        assert learned.champion(session).version == 1  # type: ignore[union-attr]
    assert told == [
        ("promote", 1, None, "the first"), ("promote", 2, 1, "another seed"), ("rollback", 1, 2, "it was worse"),
    ]  # fmt: skip
    with pytest.raises(CatalogError, match="nothing to roll back"):
        space_moves.rollback(made, "taste", "again", "olga")


def test_a_pulled_folder_gives_the_vectors_of_the_version(made: Settings, tmp_path: Path) -> None:
    space_moves.promote(made, "taste", "1", "for the pull", "ana")
    space_moves.mirror(made, "taste")
    pulled = pull_space("space:taste@champion", tmp_path / "here", made.catalog_address, cache=tmp_path / "cache")
    space, facts = read_folder(pulled.folder)
    x = np.random.default_rng(0).standard_normal((3, 24)).astype(np.float32)
    with reading(made) as session:
        mine, _ = learned.load(learned.find(session, Reference("taste", "1", SPACES)))
    np.testing.assert_array_equal(space.vectors(x), mine.vectors(x))
    assert (facts.name, facts.version) == ("taste", 1)
    assert "| raw vectors |" in (pulled.folder / "card.md").read_text()
    offline = pull_space("space:taste@1", tmp_path / "there", cache=tmp_path / "cache", offline=True)
    assert offline.manifest.digest == pulled.manifest.digest
    with pytest.raises(UnknownProbe, match="attune pull space:taste"):
        pull("space:taste", tmp_path / "no", made.catalog_address, cache=tmp_path / "cache")


def test_lost_files_are_written_again_at_promotion(made: Settings) -> None:
    folder = made.workspace / "catalog" / "spaces" / "taste" / "1"
    (folder / "space.safetensors").write_bytes(b"broken")
    space_moves.promote(made, "taste", "1", "to mend it", "ana", alias="challenger")
    content = learned.file_content(made, Reference("taste", "challenger", SPACES), "space.safetensors")
    with reading(made) as session:
        assert content.content == learned.find(session, Reference("taste", "1", SPACES)).content


def die_in(settings: Settings, place: str) -> None:
    """Learn with another seed, and be killed: at a step, or when the files are there and the row is not."""

    def step(done: int, _total: int) -> None:
        if place == "learning" and done == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    real = Catalog.publish

    def publish(self: Catalog, *given: Any, **more: Any) -> None:
        real(self, *given, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    if place == "files":
        Catalog.publish = publish  # type: ignore[method-assign]
    learn_taste.run(settings, step, tuned=False, seed=3)


def test_killed_at_any_point_it_leaves_no_version_and_the_next_try_makes_a_whole_one(made: Settings) -> None:
    with reading(made) as session:
        before = [row.version for row in learned.versions(session, "taste")]
    # A worker forks as well, but has only loaded torch: here it has calculated, and a child of that may wait for ever.
    context = multiprocessing.get_context("fork")
    for place in ("learning", "files"):
        child = context.Process(target=die_in, args=(made, place))
        child.start()
        child.join(60)
        hangs = child.is_alive()
        child.kill()
        child.join()
        assert not hangs, f"{place}: the child waits for a thread of calculation that a fork does not take along"
        assert child.exitcode == -signal.SIGKILL, place
        with reading(made) as session:
            assert [row.version for row in learned.versions(session, "taste")] == before, place
    number = max(before) + 1
    folder = made.workspace / "catalog" / "spaces" / "taste" / str(number)
    assert (folder / "manifest.json").exists(), "what was left behind is written over"
    assert learn_taste.run(made, tuned=False, seed=9)["version"] == number
    reference = Reference("taste", str(number), SPACES)
    with reading(made) as session:
        row = learned.find(session, reference)
    assert learned.manifest_content(made, reference).digest == row.digest
    assert learned.file_content(made, reference, "space.safetensors").content == row.content


def test_a_column_that_nobody_has_is_named_with_the_way_out(made: Settings) -> None:
    with pytest.raises(DataError, match="No image has a value in the column 'mood'"):
        learn_taste.run(made, column="mood")
