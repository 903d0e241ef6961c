"""An owner who labels reads figures that hold still between two of their answers; an owner who does not, the newest."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler.explore.pool_scores import RankedRight
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset, Attribute
from attune.labeler.settings import Settings
from attune.labeler.views.attribute_tabs import results_tab
from attune.labeler.views.forecast import meters
from attune.labeler.views.gallery import GalleryRequest
from attune.labeler.views.home import home
from tests.support import factories, scored

OWNER = Viewer("owner", "olga@example.org")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return factories.workspace(tmp_path)


def learned(settings: Settings, attribute: Attribute, assets: list[Asset], answers: int, right: int) -> None:
    """One more run, after ``answers`` answers, that finds ``right`` of 20; its quality moves with them."""
    run = factories.add_run(settings, attribute, answers, right / 20)
    ranked = {name: RankedRight(60, 20, right, 6.0) for name in attribute.classes}
    first = [0.9, 0.1]
    scored.leave(settings, attribute, assets, first, run.number, ranked=ranked, steps=answers // 20)


def read(settings: Settings, viewer: Viewer) -> tuple[int, float | None, int, int]:
    """Right on home, quality there, right in the results, and the last run of the curve."""
    card = home(settings, viewer).cards.items[0]
    assert card.pictures.ranked is not None
    results = results_tab(settings, viewer, "romance", GalleryRequest())
    right = results.gallery.ranked["romance"].right
    return card.pictures.ranked.right, card.quality.value, right, results.curve[-1].run


def test_figures_hold_still_for_an_owner_who_labels_until_twenty_answers_are_in(settings: Settings) -> None:
    romance, assets = factories.add_attribute(settings), factories.add_assets(settings, 2)
    eve = factories.add_expert(settings, "eve@example.org")
    factories.add_queue(settings, romance, eve)
    labels = Viewer("owner", "eve@example.org", eve.id)
    learned(settings, romance, assets, 40, 16)
    for answers, right in ((41, 17), (42, 18), (43, 17)):
        learned(settings, romance, assets, answers, right)
        assert read(settings, labels) == (16, 0.8, 16, 1)
        assert read(settings, OWNER)[:3] == (right, right / 20, right)
    learned(settings, romance, assets, 60, 19)
    assert read(settings, labels) == read(settings, OWNER) == (19, 0.95, 19, 5)


def test_a_ranking_is_not_called_steady_after_a_few_labels() -> None:
    few, enough = (meters({"movement": 0.001, "labels": labels})[0] for labels in (3.0, 60.0))
    assert few.done == pytest.approx(0.05)
    assert few.text == "not known yet: 3 labels so far, of the 60 that it takes to tell"
    assert enough.done == 1.0
