"""What is said of a cluster without words: facts about its images, and none of the asset table to experts."""

from __future__ import annotations

import numpy as np
import pytest

from attune.labeler.measured import values
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset, Cluster
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces.members import Members
from attune.labeler.views import cluster_unlike
from attune.labeler.views.cluster_unlike import nearest_named, percent, unlike
from attune.models.measured.measured_values import MeasuredValues
from attune.models.measured.measures import NAMES
from tests.support import factories

OWNER, EXPERT = Viewer("owner", "olga"), Viewer("expert", "ana", 1)
SIZE = 10


@pytest.fixture
def held(settings: Settings) -> Members:
    """Two clusters of ten images; of the first, eight are thrillers (one in ten of the others) and all are dark."""
    assets = factories.add_assets(settings, 2 * SIZE)
    with writing(settings) as session:
        for place, one in enumerate(assets):
            genre = "thriller" if place < 8 or place == SIZE else "comedy"
            session.get_one(Asset, one.id).columns = {"genre": genre, "title": "Same Name"}
    rows = np.full((2 * SIZE, len(NAMES)), np.nan, np.float32)
    rows[:, NAMES.index("brightness")] = [10.0 + place if place < SIZE else 60.0 for place in range(2 * SIZE)]
    kept = MeasuredValues(values.folder(settings), "a" * 64)
    kept.append([one.asset_id for one in assets], [one.digest for one in assets], rows)
    keys = np.array([one.id for one in assets], np.int64)
    return Members(keys, np.repeat([0, 1], SIZE).astype(np.int16), np.ones(2 * SIZE, np.float16))


def said(settings: Settings, viewer: Viewer, held: Members) -> list[str]:
    with reading(settings) as session:
        return unlike(settings, session, viewer, held, Cluster(place=0, number=1), 1)


def test_owners_read_the_column_and_the_measure_that_a_cluster_is_most_unlike_the_others_in(
    settings: Settings, held: Members
) -> None:
    assert said(settings, OWNER, held) == [
        "The column genre is “thriller” for 80 % of these images, and for 10 % of the others.",
        "100 % of these images are darker than the middle of the others.",
    ]
    assert said(settings, EXPERT, held) == ["100 % of these images are darker than the middle of the others."]


def test_images_that_equal_the_middle_of_the_others_are_on_neither_side(settings: Settings, held: Members) -> None:
    kept = values.newest(settings)
    assert kept is not None
    names = kept.read(("brightness",))["asset_id"].to_pylist()
    grey = np.full((len(names), len(NAMES)), np.nan, np.float32)
    grey[:, NAMES.index("saturation")] = 0.0
    again = MeasuredValues(values.folder(settings), "b" * 64)
    again.append(names, ["0" * 64] * len(names), grey)
    assert said(settings, EXPERT, held) == []


def test_a_draw_is_called_one_and_almost_all_are_not_all(
    settings: Settings, held: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_unlike, "HERE", 9)
    monkeypatch.setattr(cluster_unlike, "OTHERS", 8)
    assert said(settings, EXPERT, held) == ["100 % of 9 drawn images are darker than the middle of 8 drawn others."]
    assert [percent(share) for share in (0.996, 1.0, 0.99, 0.004, 0.0)] == [
        "over 99 %", "100 %", "99 %", "under 1 %", "0 %",
    ]  # fmt: skip


def test_the_nearest_cluster_that_has_a_name_or_words_is_named() -> None:
    near = [Cluster(number=2, name=""), Cluster(number=3, name=""), Cluster(number=4, name="Couples")]
    one = Cluster(number=1, name="", near=[2, 3, 4])
    assert nearest_named(one, near, {3: "two people at night"}) == "Nearest to cluster 3, “two people at night”."
    assert nearest_named(one, near, {}) == "Nearest to cluster 4, “Couples”."
    assert nearest_named(one, near[:2], {}) == ""
