"""The list of suspected label errors: what is on it, for whom, and what takes an answer off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from attune.labeler.answers import label_errors, own_errors
from attune.labeler.cli.main import attune
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Asset, Attribute, ConfirmedAnswer, Expert, Pick, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.label_errors import errors_page
from attune.models.clock import now
from attune.models.errors import UnknownAttribute
from attune.models.labels.label_errors import SuspectedError
from tests.support import factories

OWNER = Viewer("owner", "olga@example.org")


@dataclass
class World:
    """Ana and Bo on three images; the list suspects Ana on the first two and Bo on the third."""

    settings: Settings
    attribute: Attribute
    ana: Expert
    bo: Expert
    queues: tuple[Queue, Queue]
    assets: list[Asset]
    answers: list[Annotation]

    def viewer(self, who: Expert) -> Viewer:
        return Viewer("expert", who.email, who.id)

    def seen(self, viewer: Viewer) -> list[str]:
        page = errors_page(self.settings, viewer, "romance")
        with reading(self.settings) as session:
            assert label_errors.total(session, self.settings, viewer, self.attribute.id) == page.found.total
        return [one.picture.asset_id for one in page.found.items]

    def age(self, hours: int, *columns: str) -> None:
        """Make every answer that old."""
        at = dict.fromkeys(columns or ("answered_at", "updated_at"), now() - timedelta(hours=hours))
        for one in self.answers:
            self.change(one.id, **at)

    def change(self, annotation: int, **columns: object) -> None:
        with writing(self.settings) as session:
            for name, value in columns.items():
                setattr(session.get_one(Annotation, annotation), name, value)


@pytest.fixture
def world(tmp_path: Path) -> World:
    settings = factories.workspace(tmp_path / "workspace")
    attribute = factories.add_attribute(settings)
    ana, bo = factories.add_expert(settings), factories.add_expert(settings, "bo@example.org")
    queues = (factories.add_queue(settings, attribute, ana), factories.add_queue(settings, attribute, bo))
    assets = factories.add_assets(settings, 3)
    at = now() - timedelta(hours=2)
    answers = [
        factories.add_answer(settings, queues[0], assets[0], "romance", at=at),
        factories.add_answer(settings, queues[0], assets[1], "neither", at=at),
        factories.add_answer(settings, queues[1], assets[2], "neither", at=at),
        factories.add_answer(settings, queues[1], assets[0], "friendship", at=at),
    ]
    made = World(settings, attribute, ana, bo, queues, assets, answers)
    fill(made, run=1)
    return made


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Experts read all that the list may tell them, not the random half of it."""
    monkeypatch.setattr(own_errors, "is_shown", lambda *_: True)


def fill(world: World, run: int) -> int:
    first, second, third = (one.asset_id for one in world.assets)
    suspected = [
        SuspectedError(first, world.ana.email, "romance", "friendship", 0.97, 0.04),
        SuspectedError(third, world.bo.email, "neither", "romance", 0.95, 0.1),
        SuspectedError(second, world.ana.email, "neither", "romance", 0.93, 0.3),
    ]
    with writing(world.settings) as session:
        return label_errors.replace(session, world.attribute.id, run, suspected)


@pytest.mark.usefixtures("whole")
def test_an_owner_sees_all_in_order_and_an_expert_the_own_answers_alone(world: World) -> None:
    first, second, third = (one.asset_id for one in world.assets)
    assert world.seen(OWNER) == [first, third, second]
    world.age(25)
    assert world.seen(world.viewer(world.ana)) == [first, second]
    assert world.seen(world.viewer(world.bo)) == [third]


def test_what_an_owner_is_still_to_answer_is_not_shown(world: World) -> None:
    olga = factories.add_expert(world.settings, "olga@example.org")
    queue = factories.add_queue(world.settings, world.attribute, olga)
    factories.add_task(world.settings, queue, world.assets[0])
    assert world.seen(Viewer("owner", olga.email, olga.id)) == [
        one.asset_id for one in (world.assets[2], world.assets[1])
    ]


@pytest.mark.usefixtures("whole")
def test_an_expert_learns_what_others_said_a_day_after_the_own_answer(world: World) -> None:
    def told(viewer: Viewer) -> list[list[tuple[str, str]]]:
        return [list(one.others) for one in errors_page(world.settings, viewer, "romance").found.items]

    ana = world.viewer(world.ana)
    assert told(OWNER)[0] == [("Bo", "friendship")]
    assert told(ana) == []
    world.age(25)
    assert told(ana)[0] == [("Bo", "friendship")]


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize("column", ["answered_at", "updated_at"])
def test_an_answer_of_today_is_no_suspect_to_its_expert_and_the_probe_says_nothing(world: World, column: str) -> None:
    """A correction still counts as a first answer, so nothing may push towards one."""
    ana, first = world.viewer(world.ana), world.answers[0].id
    world.age(25, column)
    assert world.seen(ana) == []
    assert not label_errors.confirm(world.settings, ana, "romance", first)
    with reading(world.settings) as session:
        assert label_errors.find(session, world.settings, ana, "romance", first) is None
    world.age(25)
    assert label_errors.confirm(world.settings, ana, "romance", first)


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize("probe", [0.79, 0.81])
def test_what_an_expert_chose_is_never_among_their_suspected_answers(world: World, probe: float) -> None:
    """It may be listed because another differs; and of a title that is reserved for audits nothing is listed."""
    world.age(25)
    first, ana = world.assets[0], world.viewer(world.ana)
    weak = [SuspectedError(first.asset_id, ana.name, "romance", "friendship", probe, 0.2)]
    with writing(world.settings) as session:
        label_errors.replace(session, world.attribute.id, 2, weak)
    assert world.seen(ana) == [first.asset_id], "whoever may compare may know"
    with writing(world.settings) as session:
        own = {"attribute_id": world.attribute.id, "expert_id": world.ana.id, "who": ana.name}
        session.add(Pick(asset_pk=first.id, purpose="seed", created_at=now(), **own))
    assert world.seen(ana) == []
    assert world.seen(OWNER) == [first.asset_id]


def test_an_expert_sees_a_half_that_stays_so_that_absence_tells_no_audit(world: World) -> None:
    more = factories.add_assets(world.settings, 60)
    at = now() - timedelta(hours=25)
    for one in more:
        factories.add_answer(world.settings, world.queues[0], one, "romance", at=at)
    told = [SuspectedError(one.asset_id, world.ana.email, "romance", "friendship", 0.97, 0.04) for one in more]
    seen = []
    for run in (2, 3):
        with writing(world.settings) as session:
            assert label_errors.replace(session, world.attribute.id, run, told) == len(more)
            rows = label_errors.listed(session, world.settings, world.viewer(world.ana), world.attribute.id)
            seen.append([row.annotation_id for row in session.scalars(rows)])
    assert 15 <= len(seen[0]) <= 45
    assert seen[0] == seen[1]
    assert len([one for one in seen[0] if own_errors.is_shown("another", one)]) < len(seen[0]), (
        "another key, another half"
    )


@pytest.mark.parametrize("columns", [{"value": "friendship"}, {"value": "skip"}, {"deleted_at": now()}])
def test_an_answer_that_was_changed_withdrawn_or_excluded_is_suspected_no_more(
    world: World, columns: dict[str, object]
) -> None:
    world.change(world.answers[0].id, **columns)
    assert world.seen(OWNER) == [world.assets[2].asset_id, world.assets[1].asset_id]


def test_a_confirmed_answer_leaves_the_list_for_good_and_names_who_did_it(world: World) -> None:
    first = world.answers[0].id
    assert label_errors.confirm(world.settings, OWNER, "romance", first)
    assert not label_errors.confirm(world.settings, OWNER, "romance", first), "it is off the list"
    with reading(world.settings) as session:
        kept = session.scalars(select(ConfirmedAnswer)).one()
        assert (kept.annotation_id, kept.value, kept.who) == (first, "romance", "olga@example.org")
        assert session.get_one(Annotation, first).value == "romance"
    fill(world, run=2)
    assert world.assets[0].asset_id not in world.seen(OWNER)
    assert not label_errors.unconfirm(world.settings, world.viewer(world.ana), "romance", first), "not Ana's"
    assert label_errors.unconfirm(world.settings, OWNER, "romance", first)
    assert world.seen(OWNER)[0] == world.assets[0].asset_id


def test_another_answer_after_a_confirmation_can_be_suspected_again(world: World) -> None:
    label_errors.confirm(world.settings, OWNER, "romance", world.answers[1].id)
    world.change(world.answers[1].id, value="friendship")
    again = [SuspectedError(world.assets[1].asset_id, world.ana.email, "friendship", "romance", 0.9, 0.2)]
    with writing(world.settings) as session:
        assert label_errors.replace(session, world.attribute.id, 2, again) == 1
    assert world.seen(OWNER) == [world.assets[1].asset_id]


def test_nobody_confirms_what_they_may_not_see(world: World) -> None:
    assert not label_errors.confirm(world.settings, world.viewer(world.bo), "romance", world.answers[0].id)
    assert not label_errors.confirm(world.settings, OWNER, "romance", 4711)
    with pytest.raises(UnknownAttribute):
        label_errors.confirm(world.settings, OWNER, "nothing", world.answers[0].id)


def test_an_older_run_does_not_replace_the_list_of_a_newer_one(world: World) -> None:
    fill(world, run=7)
    with writing(world.settings) as session:
        assert label_errors.replace(session, world.attribute.id, 6, []) == 0
    assert len(world.seen(OWNER)) == 3
    with writing(world.settings) as session:
        label_errors.replace(session, world.attribute.id, 8, [])
    assert world.seen(OWNER) == []


def test_only_those_are_offered_for_a_second_opinion_who_never_had_the_image(world: World) -> None:
    chidi = factories.add_expert(world.settings, "chidi@example.org")
    queue = factories.add_queue(world.settings, world.attribute, chidi)
    factories.add_task(world.settings, queue, world.assets[2], purpose="second-opinion")
    items = errors_page(world.settings, OWNER, "romance").found.items
    free = {one.picture.asset_id: [name for _, name in one.free] for one in items}
    first, second, third = (one.asset_id for one in world.assets)
    assert free == {first: ["Chidi"], second: ["Bo", "Chidi"], third: ["Ana"]}
    assert {one.picture.asset_id: list(one.asked) for one in items} == {first: [], second: [], third: ["Chidi"]}
    for one in errors_page(world.settings, world.viewer(world.ana), "romance").found.items:
        assert not one.free
        assert not one.asked


def run(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(attune, ["labels", "errors", *words, "--workspace", str(settings.workspace)])


def test_the_command_lists_them_as_text_json_and_csv(world: World) -> None:
    found = json.loads(run(world.settings, "romance", "--json").stdout)["errors"]
    assert [one["asset_id"] for one in found] == world.seen(OWNER)
    assert found[0] | {"answered_at": ""} == {
        "asset_id": world.assets[0].asset_id, "title_id": world.assets[0].title_id, "expert": "ana@example.org",
        "answer": "romance", "expected": "friendship", "probe_probability": 0.97, "right_probability": 0.04,
        "others": "Bo: friendship", "answered_at": "", "run": 1,
    }  # fmt: skip
    rows = run(world.settings, "romance", "--csv", "--limit", "2").stdout.splitlines()
    assert rows[0].split(",") == list(label_errors.COLUMNS)
    assert [row.split(",")[0] for row in rows[1:]] == world.seen(OWNER)[:2]
    assert world.assets[0].asset_id in run(world.settings, "romance").stdout
    assert run(world.settings, "romance", "--csv", "--json").exit_code != 0


def test_the_command_says_when_there_are_none(world: World) -> None:
    with writing(world.settings) as session:
        label_errors.replace(session, world.attribute.id, 2, [])
    assert "No suspected label errors in romance" in run(world.settings, "romance").stdout
