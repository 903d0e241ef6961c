"""Home's images: for owners by the probe, for experts by the definition and their own answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from attune.labeler.explore import pool_scores
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.labeler.views.home import home
from attune.labeler.views.home_pictures import SHOWN, SPARE, Group
from attune.models.clock import now
from tests.labeler.views.conftest import OWNER
from tests.support import factories, scored


def groups(settings: Settings, viewer: Viewer = OWNER) -> dict[str, Group]:
    (card,) = home(settings, viewer).cards.items
    return {one.title: one for one in card.pictures.groups}


def ids(group: Group) -> list[str]:
    return [one.picture.asset_id for one in group.thumbs]


def test_owners_see_the_likeliest_the_most_doubtful_and_the_newest(settings: Settings) -> None:
    serious = factories.add_attribute(settings, classes=["yes", "no"])
    assets = factories.add_assets(settings, 30)
    scored.leave(settings, serious, assets, [(number + 1) / 31 for number in range(30)])
    (late,) = factories.add_assets(settings, 1)
    found = groups(settings)
    assert list(found) == ["Most likely yes", "Most likely no", "Most doubtful", "Newest images"]
    assert ids(found["Most likely yes"])[0] == assets[29].asset_id
    assert ids(found["Most likely no"])[0] == assets[0].asset_id
    assert set(ids(found["Most doubtful"])) <= {one.asset_id for one in assets[10:20]}
    newest = found["Newest images"].thumbs
    assert (newest[0].picture.asset_id, newest[0].probability) == (late.asset_id, None), "it came after the run"
    assert newest[1].says == "yes"
    assert all(1 <= len(one.thumbs) <= SHOWN for one in found.values())


def test_what_waits_in_an_owners_own_queue_is_not_among_them(settings: Settings) -> None:
    serious, (one, two) = factories.add_attribute(settings, classes=["yes", "no"]), factories.add_assets(settings, 2)
    ana = factories.add_expert(settings)
    scored.leave(settings, serious, [one, two], [0.9, 0.8])
    factories.add_task(settings, factories.add_queue(settings, serious, ana), one)
    found = groups(settings, replace(OWNER, expert_id=ana.id))
    assert {name for group in found.values() for name in ids(group)} == {two.asset_id}


def test_experts_see_examples_and_their_own_answers_and_no_model(settings: Settings) -> None:
    example, mine, other = factories.add_assets(settings, 3)
    serious = factories.add_attribute(settings, classes=["yes", "no"], in_scope=[example.asset_id, "a stare"])
    ana, bo = factories.add_expert(settings), factories.add_expert(settings, "bo@example.org")
    factories.add_answer(settings, factories.add_queue(settings, serious, ana), mine, "yes")
    factories.add_answer(settings, factories.add_queue(settings, serious, bo), other, "no")
    scored.leave(settings, serious, [example, mine, other], [0.9, 0.8, 0.1])
    found = groups(settings, Viewer("expert", ana.email, ana.id))
    assert {title: ids(group) for title, group in found.items()} == {
        "Counts": [example.asset_id],
        "Your newest answers": [mine.asset_id],
    }
    assert [(one.says, one.probability) for group in found.values() for one in group.thumbs] == [
        (None, None),
        ("yes", None),
    ]


def test_an_experts_own_answers_are_on_images_that_are_still_there(settings: Settings) -> None:
    assets = factories.add_assets(settings, 2 * SPARE)
    ana = factories.add_expert(settings)
    queue = factories.add_queue(settings, factories.add_attribute(settings), ana)
    for number, asset in enumerate(assets):
        factories.add_answer(settings, queue, asset, "yes", at=now() + timedelta(minutes=number))
    with writing(settings) as session:
        newest = [one.id for one in assets[3:]]  # more than are asked for at once
        session.execute(update(Asset).where(Asset.id.in_(newest)).values(removed_at=now()))
    shown = ids(groups(settings, Viewer("expert", ana.email, ana.id))["Your newest answers"])
    assert shown == [one.asset_id for one in assets[2::-1]]


def test_home_leaves_what_other_pages_worked_out_of_a_question(settings: Settings) -> None:
    assets = factories.add_assets(settings, 2)
    names = [f"question-{number}" for number in range(pool_scores.KEPT + 1)]
    questions = [factories.add_attribute(settings, name, classes=["yes", "no"]) for name in names]
    for one in questions:
        scored.leave(settings, one, assets, [0.9, 0.2])
    gallery = [pool_scores.load(settings, one) for one in questions[:2]]
    home(settings, OWNER)
    assert [pool_scores.load(settings, one) for one in questions[:2]] == gallery, "neither is worked out again"
    scored.leave(settings, questions[0], assets, [0.1, 0.2])
    newer = pool_scores.load(settings, questions[0])
    assert newer is not None
    assert newer.said.tolist() == [1, 1]


def test_before_any_run_there_are_the_newest_images_and_without_a_pool_nothing(settings: Settings) -> None:
    factories.add_attribute(settings)
    assert groups(settings) == {}
    factories.add_assets(settings, 2)
    assert list(groups(settings)) == ["Newest images"]
