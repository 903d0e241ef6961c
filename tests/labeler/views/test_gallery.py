"""The gallery: what each filter finds, in which order, and who may see a probe's say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select, update

from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset, Attribute, Expert, Grid, GridPage, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import gallery as views
from attune.labeler.views.gallery import EVERY, Gallery, GalleryRequest
from attune.labeler.views.gallery_image import large_image
from attune.models.clock import now
from attune.models.errors import UnknownAsset
from tests.labeler.views.conftest import OWNER
from tests.support import factories, scored

FIRST = [0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1]


@dataclass
class Hall:
    """An attribute of yes and no, eight scored images, and Ana's queue."""

    settings: Settings
    attribute: Attribute
    assets: list[Asset]
    ana: Expert
    queue: Queue

    @property
    def expert(self) -> Viewer:
        return Viewer("expert", self.ana.email, self.ana.id)

    def show(self, viewer: Viewer = OWNER, **fields: object) -> Gallery:
        with reading(self.settings) as session:
            asked = GalleryRequest(**fields)  # type: ignore[arg-type]
            return views.gallery(session, self.settings, viewer, self.attribute, asked)

    def numbers(self, viewer: Viewer = OWNER, **fields: object) -> list[int]:
        """Which of the images are shown, by their place in ``assets``."""
        ids = [one.asset_id for one in self.assets]
        return [ids.index(one.picture.asset_id) for one in self.show(viewer, **fields).images.items]

    def answer(self, number: int, value: str, purpose: str = "borderline") -> None:
        factories.add_answer(self.settings, self.queue, self.assets[number], value, purpose)


@pytest.fixture
def hall(settings: Settings) -> Hall:
    attribute = factories.add_attribute(settings, classes=["yes", "no"])
    assets, ana = factories.add_assets(settings, len(FIRST)), factories.add_expert(settings)
    scored.leave(settings, attribute, assets, FIRST)
    return Hall(settings, attribute, assets, ana, factories.add_queue(settings, attribute, ana))


def test_it_opens_with_the_first_class_and_the_likeliest_image(hall: Hall) -> None:
    shown = hall.show()
    assert (shown.by, shown.counts, shown.run) == ("yes", {"yes": 4, "no": 4, "*": 8}, 1)
    assert hall.numbers() == [0, 1, 2, 3]
    assert [one.probability for one in shown.images.items] == pytest.approx(FIRST[:4])
    assert hall.numbers(by="no") == [7, 6, 5, 4]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"sort": "low"}, [3, 2, 1, 0]),
        ({"sort": "new"}, [3, 2, 1, 0]),
        ({"by": EVERY, "lo": 75}, [0, 7, 1, 6]),
        ({"by": EVERY, "hi": 65}, [3, 4]),
        ({"by": "no", "lo": 65, "hi": 85}, [6, 5]),
        ({"by": "nonsense"}, [0, 7, 1, 6, 2, 5, 3, 4]),
    ],
)
def test_a_filter_finds_what_it_says(hall: Hall, asked: dict[str, object], found: list[int]) -> None:
    assert hall.numbers(**asked) == found


def test_the_filters_of_explore_are_those_of_the_gallery(hall: Hall) -> None:
    with writing(hall.settings) as session:
        for number, asset in enumerate(session.scalars(select(Asset).order_by(Asset.id))):
            asset.columns = {"genre": "drama" if number % 2 else "comedy"}
    assert hall.numbers(column="genre", value="drama") == [1, 3]
    assert hall.show(column="genre", value="drama").counts == {"yes": 2, "no": 2, "*": 4}
    assert hall.numbers(title=hall.assets[2].asset_id) == [2]
    assert hall.show().columns == ["genre"]


def test_answers_narrow_it_and_audits_are_among_them_alike(hall: Hall) -> None:
    hall.answer(0, "yes")
    hall.answer(1, "no")
    hall.answer(6, "yes", "audit")
    hall.answer(2, "unsure")
    assert hall.numbers(by=EVERY, show="differ") == [1, 6]
    assert hall.numbers(by=EVERY, show="answered") == [0, 1, 6, 2]
    assert hall.numbers(by=EVERY, show="open") == [7, 5, 3, 4]
    marked = {one.picture.asset_id: (one.differs, one.sides) for one in hall.show(by=EVERY).images.items}
    assert marked[hall.assets[6].asset_id] == (True, (("yes", 1),))
    assert marked[hall.assets[2].asset_id] == (False, (("unsure", 1),))


def test_experts_who_are_split_evenly_disagree_with_nobody(hall: Hall) -> None:
    bo = factories.add_queue(hall.settings, hall.attribute, factories.add_expert(hall.settings, "bo@example.org"))
    hall.answer(1, "no")
    factories.add_answer(hall.settings, bo, hall.assets[1], "yes")
    assert hall.numbers(by=EVERY, show="differ") == []


def test_what_waits_in_an_owners_own_queue_is_not_shown_to_them(hall: Hall) -> None:
    factories.add_task(hall.settings, hall.queue, hall.assets[1])
    both = replace(OWNER, expert_id=hall.ana.id)
    assert hall.numbers(both) == [0, 2, 3]
    assert hall.numbers() == [0, 1, 2, 3]
    with pytest.raises(UnknownAsset):
        large_image(hall.settings, both, "romance", hall.assets[1].asset_id, GalleryRequest())


def test_what_stands_on_an_owners_own_open_page_of_images_is_not_shown_to_them(hall: Hall) -> None:
    def page(expert: int, numbers: list[int]) -> None:
        with writing(hall.settings) as session:
            grid = Grid(attribute_id=hall.attribute.id, expert_id=expert, project=70 + expert, view=1)
            grid.created_at = now()
            session.add(grid)
            session.flush()
            keys = [hall.assets[number].id for number in numbers]
            made = GridPage(grid_id=grid.id, ticked="yes", unticked="no", asset_pks=keys, state="open")
            made.signed_until = made.created_at = now()
            session.add(made)

    page(hall.ana.id, [1, 2])
    page(factories.add_expert(hall.settings, "bo@example.org").id, [0])
    both = replace(OWNER, expert_id=hall.ana.id)
    assert hall.numbers(both) == [0, 3]
    assert hall.numbers() == [0, 1, 2, 3]
    with pytest.raises(UnknownAsset):
        large_image(hall.settings, both, "romance", hall.assets[1].asset_id, GalleryRequest())
    with writing(hall.settings) as session:
        session.execute(update(GridPage).values(state="answered"))
    assert hall.numbers(both) == [0, 1, 2, 3]


def test_an_expert_sees_the_own_answers_and_no_say_of_a_probe(hall: Hall) -> None:
    hall.answer(0, "no")
    hall.answer(5, "yes", "audit")
    shown = hall.show(hall.expert)
    assert (hall.numbers(hall.expert), shown.counts, shown.scored) == ([5, 0], {"yes": 1, "no": 1}, False)
    assert hall.numbers(hall.expert, by="no") == [0]
    assert all(one.probability is None and one.says is None and not one.differs for one in shown.images.items)
    large = large_image(hall.settings, hall.expert, "romance", hall.assets[0].asset_id, GalleryRequest())
    assert (large.probabilities, large.own, large.annotation is not None) == ((), "no", True)
    with pytest.raises(UnknownAsset):
        large_image(hall.settings, hall.expert, "romance", hall.assets[1].asset_id, GalleryRequest())


def test_an_expert_reads_no_column_of_the_asset_table(hall: Hall) -> None:
    hall.answer(0, "no")
    with writing(hall.settings) as session:
        session.get_one(Asset, hall.assets[0].id).columns = {"old_label": "yes"}

    def columns(viewer: Viewer) -> tuple[list[str], dict[str, str]]:
        large = large_image(hall.settings, viewer, "romance", hall.assets[0].asset_id, GalleryRequest())
        return list(hall.show(viewer).columns), dict(large.columns)

    assert columns(OWNER) == (["old_label"], {"old_label": "yes"})
    assert columns(hall.expert) == ([], {})


def test_a_filter_by_score_tells_an_expert_nothing(hall: Hall) -> None:
    hall.answer(0, "no")
    hall.answer(6, "no")
    for asked in ({"lo": 85}, {"show": "differ"}, {"sort": "high"}, {"sort": "low"}, {"hi": 10}):
        assert hall.numbers(hall.expert, **asked) == [6, 0]


def test_a_removed_image_is_gone_although_its_score_is_kept(hall: Hall) -> None:
    with writing(hall.settings) as session:
        session.get_one(Asset, hall.assets[0].id).removed_at = now()
    assert hall.numbers() == [1, 2, 3]
    assert hall.numbers(title="img-") == [1, 2, 3]


def test_one_image_knows_its_neighbours_and_who_said_what(hall: Hall) -> None:
    hall.answer(1, "no")
    large = large_image(hall.settings, OWNER, "romance", hall.assets[1].asset_id, GalleryRequest())
    assert (large.before, large.after) == (hall.assets[0].asset_id, hall.assets[2].asset_id)
    assert (large.place, large.total) == (2, 4)
    assert dict(large.probabilities) == pytest.approx({"yes": 0.8, "no": 0.2})
    assert large.sides == [("no", ["Ana"])]
    assert (large.own, large.annotation, large.queue) == (None, None, False)
    apart = large_image(hall.settings, OWNER, "romance", hall.assets[7].asset_id, GalleryRequest())
    assert (apart.place, apart.before, apart.after) == (0, None, None)


def test_without_scores_owners_see_the_pool_the_newest_first(settings: Settings) -> None:
    attribute = factories.add_attribute(settings)
    newest = factories.add_assets(settings, 3)[-1]
    with reading(settings) as session:
        shown = views.gallery(session, settings, OWNER, attribute, GalleryRequest())
    assert (shown.scored, shown.images.total, shown.images.items[0].picture.asset_id) == (False, 3, newest.asset_id)
