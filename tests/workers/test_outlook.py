"""What pages tell beside the figures: how varied the answers are, where nobody has looked, the probe and a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from labeler.catalog.facts import labels_of
from labeler.records.schema import Run
from labeler.records.session import reading
from models.answers import Answer
from tests import factories
from tests.workers.test_figures import studio
from tests.workers.test_ordering import NOON
from workers import figures, outlook, rounds
from workers.snapshot import Snapshot


def changed(seen: Snapshot, **fields: object) -> Snapshot:
    held = {name: getattr(seen, name) for name in Snapshot.__dataclass_fields__}
    return Snapshot(**{**held, **fields})  # type: ignore[arg-type]


def test_regions_nobody_has_looked_at_come_first_and_show_no_audit_title() -> None:
    seen = studio(12, training=30)
    found = outlook.outlook(seen, None)
    labels = [region["labels"] / region["share"] for region in found["regions"]]
    assert labels == sorted(labels)
    shown = {asset for region in found["regions"] for asset in region["examples"]}
    assert shown
    assert not shown & {f"a{row}" for row in figures.reserved_rows(seen)}
    assert 0 < found["diversity"] < 1


def test_more_answers_are_more_diverse() -> None:
    scores = [outlook.outlook(studio(0, training=training), None)["diversity"] for training in (0, 20, 60)]
    assert scores == sorted(scores)
    assert scores[0] == 0


def test_a_second_expert_gives_a_person_to_hold_the_probe_against() -> None:
    alone = studio(0, training=60)
    assert outlook.parity(alone, None)["expert"]["value"] is None
    others = [
        Answer(one.asset_id, one.title_id, "e2@x.org", one.value if i % 6 else "no", "spread", NOON)
        for i, one in enumerate(alone.answers)
    ]
    both = outlook.parity(changed(alone, answers=(*alone.answers, *others)), None)
    assert both["expert"]["value"] == pytest.approx(0.8, abs=0.2)
    assert both["probe"]["value"] is not None
    assert both["difference"]["lo"] <= both["difference"]["value"] <= both["difference"]["hi"]


def careless(seen: Snapshot) -> Snapshot:
    """Two further experts on the same images: one who says the same, one who says what comes to mind."""
    others = [
        Answer(one.asset_id, one.title_id, expert, value, "second-opinion", NOON)
        for i, one in enumerate(seen.answers)
        for expert, value in (("same@x.org", one.value), ("any@x.org", "yes" if i % 2 else "no"))
    ]
    return changed(seen, answers=(*seen.answers, *others))


def test_answers_of_an_expert_whom_the_others_contradict_count_less_in_the_next_round() -> None:
    seen = careless(studio(0, training=60))
    told = {one["expert"]: one for one in outlook.outlook(seen, None)["experts"]}
    assert told["same@x.org"]["weight"] == 1
    assert 0.25 <= told["any@x.org"]["weight"] < 0.5
    assert told["same@x.org"]["accuracy"]["lo"] > told["any@x.org"]["accuracy"]["hi"]
    last = Run(revision=seen.attribute.revision, advice={"outlook": {"experts": list(told.values())}})
    next_round = changed(seen, last_run=last)
    assert next_round.weights == {"any@x.org": told["any@x.org"]["weight"]}
    assert next_round.training != seen.training
    assert next_round.audited == seen.audited
    assert next_round.digest != seen.digest
    assert rounds.summary(next_round)["expert_weights"] == next_round.weights
    assert "expert_weights" not in rounds.summary(seen)
    off = changed(next_round, weigh=False)
    assert {one["weight"] for one in outlook.experts(off)} == {1.0}
    assert (off.training, off.digest) == (seen.training, seen.digest)
    last.revision += 1
    assert changed(seen, last_run=last).weights == {}


def test_what_the_world_outside_sees_names_no_expert() -> None:
    labels = {"experts": {"ana@x.org": 60, "ben@x.org": 50}, "expert_weights": {"ben@x.org": 0.4}}
    assert labels_of(Run(labels=labels, answers=110, metrics={}))["expert_weights"] == [0.4, 1.0]


def test_one_expert_alone_is_not_judged() -> None:
    assert outlook.outlook(studio(0, training=60), None)["experts"] == []


def test_what_a_person_chose_or_imported_of_an_audit_title_is_left_out() -> None:
    seen = studio(0, training=60)
    rows = figures.reserved_rows(seen)[:5].tolist()
    apart = [Answer(f"a{row}", f"t{row}", "e1@x.org", "yes", "import", NOON) for row in rows]
    both = changed(seen, answers=(*seen.answers, *apart))
    assert outlook.parity(both, None) == outlook.parity(seen, None)


def test_it_is_renewed_every_few_answers_and_kept_with_the_run(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    seen = studio(0, training=30)
    romance = factories.add_attribute(settings)
    run = factories.add_run(settings, romance, answers=30, advice={"state": "labelling"})
    seen.attribute.id = romance.id
    assert outlook.due(seen)
    outlook.keep(settings, seen, run.number, None)
    with reading(settings) as session:
        kept = session.scalars(select(Run).where(Run.attribute_id == romance.id)).one()
    assert kept.advice["state"] == "labelling"
    assert kept.advice["outlook"]["answers"] == seen.count == 30
    assert not outlook.due(changed(seen, last_run=kept))
    assert outlook.due(changed(studio(0, training=40), last_run=kept))
