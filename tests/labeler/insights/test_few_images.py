"""The images of a feature's page: chosen from its file alone, and only these are looked up in the records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event, select, update

from attune.labeler.insights import features, few_images
from attune.labeler.insights.known import Known
from attune.labeler.measured import spread, values
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import engine_to_read, reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import feature_pictures
from attune.models.clock import now
from attune.models.measured.measured_values import MeasuredValues
from attune.models.measured.measures import NAMES
from tests.support import factories

NONE: frozenset[str] = frozenset()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Images of which each is lighter than the one before, with no, one and two faces in turn."""
    made = factories.workspace(tmp_path / "workspace")
    factories.add_assets(made, 60)
    return measure(made)


def measure(settings: Settings, darker: float = 0) -> Settings:
    """Measure all of them, each ``darker`` than it would be."""
    rows = np.full((60, len(NAMES)), 0.5, np.float32)
    rows[:, NAMES.index("brightness")] = np.arange(60) - darker
    rows[:, NAMES.index("faces")] = np.arange(60) % 3
    MeasuredValues(values.folder(settings), "v").append(ids(settings), digests(settings), rows)
    return settings


def ids(settings: Settings) -> list[str]:
    with reading(settings) as session:
        return list(session.scalars(select(Asset.asset_id).order_by(Asset.id)))


def digests(settings: Settings) -> list[str]:
    with reading(settings) as session:
        return list(session.scalars(select(Asset.digest).order_by(Asset.id)))


def known(settings: Settings, name: str) -> Known:
    return features.known(settings)[name]


def looked_at(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[object]:
    """What the function ``name`` of ``module`` returned, each time."""
    found: list[object] = []
    function = getattr(module, name)

    def noted(*given: object) -> object:
        found.append(function(*given))
        return found[-1]

    monkeypatch.setattr(module, name, noted)
    return found


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str] | None]:
    """What of the pool was read, where a few are 12 images."""
    asked: list[Sequence[str] | None] = []
    whole = values.pool

    def pool(settings: Settings, only: Sequence[str] | None = None) -> dict[str, str]:
        asked.append(only)
        return whole(settings, only)

    monkeypatch.setattr(features, "FEW", 12)
    monkeypatch.setattr(values, "pool", pool)
    few_images._few.cache_clear()
    return asked


def test_of_a_large_pool_only_the_chosen_images_are_looked_up(
    settings: Settings, pools: list[Sequence[str] | None]
) -> None:
    every = ids(settings)
    assert few_images.shown(settings, known(settings, "brightness"), 3, NONE) == [every[:3], every[:-4:-1]]
    by_faces = few_images.shown(settings, known(settings, "faces"), 3, NONE)
    assert [{every.index(one) % 3 for one in ids} for ids in by_faces] == [{0}, {1}, {2}, set()]
    assert [len(set(ids)) for ids in by_faces] == [3, 3, 3, 0]
    assert [len(one or every) for one in pools] == [12, 9]


def test_where_too_many_of_the_chosen_are_gone_all_are_looked_up(
    settings: Settings, pools: list[Sequence[str] | None]
) -> None:
    every, brightness = ids(settings), known(settings, "brightness")
    with writing(settings) as session:
        session.execute(update(Asset).where(Asset.asset_id == every[0]).values(removed_at=now()))
        session.execute(update(Asset).where(Asset.asset_id == every[1]).values(digest="another picture by now"))
    assert few_images.shown(settings, brightness, 3, frozenset({every[-1]})) == [every[2:5], every[-2:-5:-1]]
    assert None not in pools
    assert few_images.shown(settings, brightness, 3, frozenset(every[:9])) == [every[9:12], every[:-4:-1]]
    assert pools[-1] is None
    left = frozenset(every[:-5])
    assert few_images.shown(settings, brightness, 3, left) == [every[-5:-3], every[:-3:-1]], "each at most half of all"


def test_what_was_chosen_is_kept_until_an_image_is_measured(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    every, read = ids(settings), looked_at(monkeypatch, features, "stored")
    for _ in range(2):
        assert few_images.shown(settings, known(settings, "brightness"), 2, NONE)[0] == every[:2]
    assert len(read) == 1
    MeasuredValues(values.folder(settings), "v").append(
        every[-1:], digests(settings)[-1:], np.full((1, len(NAMES)), -1)
    )
    assert few_images.shown(settings, known(settings, "brightness"), 2, NONE)[0] == [every[-1], every[0]]
    assert len(read) == 2


def test_how_the_values_lie_is_worked_out_again_once_an_asset_or_a_value_changes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = looked_at(monkeypatch, spread, "measured")

    def told(name: str) -> dict[str, float]:
        return dict(spread.kept_spread(settings, name, known(settings, name).digest)["rows"])

    assert told("faces") == {"0": 20, "1": 20, "2": 20, "3+": 0}
    assert [told("brightness")["most"] for _ in range(3)] == [59] * 3
    assert len(read) == 2
    with writing(settings) as session:
        session.execute(update(Asset).where(Asset.asset_id == ids(settings)[-1]).values(removed_at=now()))
    assert told("brightness")["most"] == 58
    measure(settings, darker=10)
    assert told("brightness")["most"] == 48


def test_no_look_goes_through_all_images_of_the_records(settings: Settings, pools: list[Sequence[str] | None]) -> None:
    """SQLite did, by the index of removed images, as soon as more than four were asked for by their ids."""
    said: list[tuple[str, Sequence[object]]] = []

    def note(_: Any, __: Any, statement: str, parameters: Sequence[object], *___: Any) -> None:
        said.append((statement, parameters))

    engine = engine_to_read(settings.records_url)
    event.listen(engine, "before_cursor_execute", note)
    shown = feature_pictures.kinds(settings, Viewer("owner", "olga"), known(settings, "brightness"))
    event.remove(engine, "before_cursor_execute", note)
    assert [len(one.images) for one in shown] == [6, 6]
    with engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", tuple(given)).all() for sql, given in said]
    steps = [step[-1] for plan in plans for step in plan if " assets" in step[-1]]
    assert len(steps) >= 3
    assert all("(asset_id=?)" in one or "(rowid=?)" in one for one in steps), steps
