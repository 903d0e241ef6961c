"""When it will be done and where nobody has looked: read from the newest run, shown to whom it concerns."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler.answers.totals import Counts
from attune.labeler.attributes import attributes
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.forecast import Forecast, forecast, meters
from attune.labeler.views.home import CardFacts, home
from attune.labeler.views.state import state, visible_advice
from tests.support import factories

OWNER, EXPERT, PIPELINE = Viewer("owner", "olga"), Viewer("expert", "ana", 1), Viewer("pipeline", "nightly")
METRIC = {"name": "expert_parity", "value": 0.7, "lo": 0.6, "hi": 0.8, "n": 40, "method": "kappa"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = factories.workspace(tmp_path)
    factories.add_attribute(made)
    return made


def shown(settings: Settings, viewer: Viewer) -> Forecast:
    with reading(settings) as session:
        return forecast(session, viewer, attributes.find(session, "romance"))


def test_before_any_run_there_is_nothing_to_say(settings: Settings) -> None:
    found = shown(settings, OWNER)
    assert (found.advice, found.diversity, list(found.regions)) == (None, None, [])


def test_regions_diversity_and_parity_are_for_those_who_manage(settings: Settings) -> None:
    one, two = factories.add_assets(settings, 2)
    with reading(settings) as session:
        romance = attributes.find(session, "romance")
    parity = dict.fromkeys(("expert", "probe", "difference"), METRIC)
    regions = [
        {"share": 0.4, "labels": 0, "positive": 0.0, "examples": [one.asset_id, "removed since"]},
        {"share": 0.6, "labels": 5, "positive": 2.0, "examples": ["removed since"]},
    ]
    held = {"answers": 20, "diversity": 0.31, "regions": regions, "parity": parity}
    said = {"state": "settled", "advice": "Stop.", "evidence": {"movement": 0.01}, "outlook": held}
    factories.add_run(settings, romance, answers=20, advice=said)
    found, owners = shown(settings, EXPERT), shown(settings, OWNER)
    assert found.headline == "Settled"
    assert owners.diversity == 0.31
    assert [[one.asset_id for one in region.pictures] for region in owners.regions] == [[one.asset_id]]
    assert owners.expert is not None
    assert owners.expert.value == 0.7
    # Regions and diversity move with the labels, and answers on reserved titles are none.
    assert (found.diversity, found.regions, found.meters, found.expert) == (None, [], (), None)
    assert shown(settings, PIPELINE).regions == []
    assert two.asset_id != one.asset_id


def judged(expert: str, right: float, weight: float, method: str = "Dawid-Skene") -> dict[str, object]:
    told = METRIC | {"value": right, "lo": right - 0.04, "hi": right + 0.04, "method": method}
    return {"expert": expert, "accuracy": told, "weight": weight}


def test_who_manages_sees_how_far_to_rely_on_whom_and_experts_do_not(settings: Settings) -> None:
    with reading(settings) as session:
        romance = attributes.find(session, "romance")
    held = {"told": [judged("any@x.org", 0.6, 0.31), judged("ana@x.org", 0.95, 1.0)], "weighed": True}
    factories.add_run(settings, romance, answers=20, advice={"reliance": held})
    found = shown(settings, OWNER)
    assert [(one.expert, one.right.value, one.weight) for one in found.experts] == [
        ("ana@x.org", 0.95, 1.0),
        ("any@x.org", 0.6, 0.31),
    ]
    assert [one.beside for one in found.experts] == [None, None]
    assert found.measured
    assert found.weighed
    assert shown(settings, EXPERT).experts == []
    few = {"told": [judged("ana@x.org", 0.9, 1.0, "agreement with the majority of the others")], "weighed": False}
    factories.add_run(settings, romance, answers=30, advice={"reliance": few})
    owners = shown(settings, OWNER)
    assert (owners.measured, owners.weighed) == (False, False)


def test_who_manages_reads_who_differs_and_what_the_others_audits_say(settings: Settings) -> None:
    with reading(settings) as session:
        romance = attributes.find(session, "romance")
    factories.add_expert(settings, "gus@example.org", "Gus")
    agrees = [
        {"expert": name, "agrees": METRIC | {"value": value, "lo": value - 0.1, "hi": value + 0.1}}
        for name, value in (("gus@example.org", 0.5), ("mara@example.org", 0.9))
    ]
    beside = {"told": agrees, "odd": "gus@example.org", "without": METRIC | {"value": 0.75}}
    beside["sentence"] = "The probe disagrees with 50 % of this expert's answers."
    said = {"state": "settled", "advice": "Stop.", "evidence": {"movement": 0.01}, "beside_probe": beside}
    factories.add_run(settings, romance, answers=90, advice=said | {"differs": "gus@example.org"})
    owners, experts = shown(settings, OWNER), shown(settings, EXPERT)
    assert owners.differs is not None
    assert owners.differs.without is not None
    assert (owners.differs.expert, owners.differs.without.value) == ("Gus", 0.75)
    assert [(one.expert, one.beside and one.beside.value) for one in owners.experts] == [
        ("mara@example.org", 0.9),
        ("Gus", 0.5),
    ]
    assert all(one.right is None for one in owners.experts)
    assert experts.differs is None
    assert not experts.experts
    assert owners.differs.how == beside["sentence"]
    assert experts.headline == owners.headline == "Settled"
    assert [home(settings, who).cards.items[0].differs for who in (OWNER, EXPERT)] == [True, False]
    with reading(settings) as session:
        held = session.query(Run).one().advice
    assert {"differs", "beside_probe"} <= held.keys()
    told = visible_advice(EXPERT, RunAdvice.from_dict(held)).to_dict()
    assert not {"differs", "beside_probe", "reliance"} & told.keys()
    assert "contradicts" not in str(told)


def test_experts_do_not_read_that_one_of_them_differs(settings: Settings) -> None:
    with reading(settings) as session:
        romance = attributes.find(session, "romance")
    evidence = {"alpha": 0.1, "alpha_hi": 0.3, "alpha_without_one": 0.61}
    said = {"state": "outlier", "advice": "Find out why one expert answers otherwise.", "evidence": evidence}
    factories.add_run(settings, romance, answers=20, advice=said)
    owners, experts = shown(settings, OWNER), shown(settings, EXPERT)
    assert "One expert" in owners.headline
    assert owners.advice is not None
    assert "0.61" in owners.advice.evidence[-1]
    assert experts.headline == "Needs definition"
    assert experts.advice is not None
    assert "one expert" not in experts.advice.text
    assert not [line for line in experts.advice.evidence if "0.61" in line]
    with reading(settings) as session:
        states = [state(CardFacts(session, [romance.id], who).facts(romance, 9, Counts(20))) for who in (OWNER, EXPERT)]
    assert states == ["one expert differs", "needs definition"]


def test_meters_fill_as_the_goals_come_near() -> None:
    far = {one.name: one.done for one in meters({"movement": 0.15, "width": 0.8, "remaining_share": 0.6})}
    near = {one.name: one.done for one in meters({"movement": 0.03, "width": 0.25, "remaining_share": 0.1})}
    done = {one.name: one.done for one in meters({"movement": 0.02, "width": 0.2, "remaining_share": 0.0})}
    assert all(0 <= far[name] < near[name] < done[name] == 1 for name in far)
    assert [one.text for one in meters({"movement": None, "width": None})] == ["no interval yet"]
    assert meters(["free text"]) == []
    settled = meters({"movement": 0.01, "width": 0.1, "remaining_share": 0.88}, "settled")
    assert "Positives found" not in {one.name for one in settled}
