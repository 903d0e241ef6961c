"""Versions are compared on the same audit answers, and gates tell value and bound."""

from __future__ import annotations

import numpy as np
import pytest

from attune.labeler.attributes import attributes
from attune.labeler.catalog import audit_evidence, gates, listing
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.catalog.run_facts import find_run
from attune.labeler.records.schema import Annotation, Asset, Expert, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import read_probe
from attune.models.clock import now
from attune.models.errors import GateFailed
from attune.models.evaluation.audit_design import AuditDesign, reserved_mask
from attune.models.labels.answers import AUDIT, BY_HAND
from tests.labeler.catalog import worlds


def run(settings: Settings, number: int) -> Run:
    with reading(settings) as session:
        return find_run(session, attributes.find(session, "serious"), number)


@pytest.fixture
def audited(settings: Settings) -> Settings:
    """All audit titles of 600 assets; the expert says what version 2's probe says, so 2 is right and 1 by chance."""
    x = worlds.add_assets(settings, 600)
    truth = read_probe(worlds.probe_of(settings, "serious", 2)).logits(x)[:, 0] > 0
    with writing(settings) as session:
        attribute = attributes.find(session, "serious")
        expert = Expert(email="ana@example.org", name="Ana", added_at=now())
        session.add(expert)
        session.flush()
        every = list(session.query(Asset).order_by(Asset.id))
        settled = attribute.settings
        kept = reserved_mask([asset.title_id for asset in every], settled["seed"], settled["reserved_share"])
        assets = [asset for asset, mine in zip(every, kept, strict=True) if mine]
        for asset, positive in zip(assets, truth[kept], strict=True):
            session.add(
                Annotation(
                    attribute_id=attribute.id,
                    revision=1,
                    asset_pk=asset.id,
                    expert_id=expert.id,
                    value=attribute.classes[0 if positive else 1],
                    purpose=AUDIT,
                    answered_at=now(),
                    updated_at=now(),
                    received_at=now(),
                )
            )
        design = AuditDesign(0)
        design.extend([asset.asset_id for asset in assets], [asset.title_id for asset in assets], None, len(assets))
        attribute.audit_state = design.to_bytes()
    return settings


def test_the_better_version_is_told_from_the_worse_on_the_same_answers(audited: Settings) -> None:
    told = listing.compare(audited, "serious", 2, 1)["difference"]
    assert told["n"] == len(audit_evidence.collect(audited, "serious").labels) > 90
    assert told["value"] > 0.2
    assert told["lo"] > 0
    back = listing.compare(audited, "serious", 1, 2)["difference"]
    assert back["value"] == pytest.approx(-told["value"], abs=0.01)
    assert listing.compare(audited, "serious", 2, 2)["difference"]["value"] == 0


def test_a_version_that_is_worse_than_the_champion_does_not_pass(audited: Settings) -> None:
    promote(audited, Move("serious", 2, "r", "ana"))
    told = {gate.name: gate for gate in gates.check(audited, "serious", run(audited, 1))}
    assert told["not_worse_than_champion"].passed is False
    assert told["encoder"].passed is True
    assert told["audit_answers"].passed is True
    assert told["calibration"].passed is True, "measured on today's answers although the run was recorded without"
    assert (told["agreement"].passed, "2 experts" in told["agreement"].reason) == (None, True)
    with writing(audited) as session:
        attribute = attributes.find(session, "serious")
        attribute.settings = attribute.settings | {"gates": {"not_worse_than_champion": {"enforced": True}}}
    with pytest.raises(GateFailed, match="not_worse_than_champion: -0"):
        promote(audited, Move("serious", 1, "r", "ana"))
    promote(audited, Move("serious", 2, "again, itself", "ana"))
    assert promote(audited, Move("serious", 1, "known and accepted", "ana", override=True)).version == 1


def test_why_there_is_no_difference_is_told(settings: Settings) -> None:
    def reason() -> str:
        return str(listing.compare(settings, "serious", 1, 2)["difference"]["reason"])

    assert "pool is empty" in reason()
    worlds.add_assets(settings, 4)
    assert "no audit answers yet" in reason()
    with writing(settings) as session:
        session.query(Run).filter_by(number=1).update({"encoder_digest": "e" * 64})
    assert "another encoder" in reason()


def test_bounds_are_the_attributes_own() -> None:
    values = {"audit_answers": 20, "audit_lower_bound": 0.55, "calibration": 0.12, "agreement": None, "encoder": 1.0}
    told = {gate.name: gate.outcome for gate in gates.judge(values, {}, absent={"not_worse_than_champion": "none yet"})}
    assert told == {
        "audit_answers": "not passed",
        "audit_lower_bound": "passed",
        "not_worse_than_champion": "not applicable",
        "calibration": "not passed",
        "agreement": "not known",
        "encoder": "passed",
        "answers_per_class": "not known",
    }
    own = {"audit_answers": {"bound": 20}, "calibration": {"bound": 0.2, "enforced": True}}
    judged = {gate.name: gate for gate in gates.judge(values, own)}
    assert (judged["audit_answers"].passed, judged["calibration"].passed) == (True, True)
    assert judged["not_worse_than_champion"].passed is None
    gates.refuse(list(judged.values()), "serious", 1, override=False)
    assert np.isclose(judged["calibration"].bound, 0.2)


def test_an_image_that_a_person_chose_measures_once_the_design_has_drawn_it(audited: Settings) -> None:
    before = audit_evidence.collect(audited, "serious")
    with writing(audited) as session:
        first = session.query(Annotation).filter_by(purpose=AUDIT).order_by(Annotation.id).limit(40)
        for one in first:
            one.purpose = BY_HAND
    after = audit_evidence.collect(audited, "serious")
    assert after.labels == before.labels
    assert len(after.labels) > 20


def test_an_audited_image_whose_title_was_corrected_to_a_trained_one_measures_no_longer(audited: Settings) -> None:
    before = audit_evidence.collect(audited, "serious")
    trained = next(name for name in (f"other {i}" for i in range(99)) if not reserved_mask([name], before.seed, 0.2)[0])
    with writing(audited) as session:
        moved = session.query(Asset).filter_by(asset_id=before.labels.asset_ids[0]).one()
        moved.title_id = trained
    after = audit_evidence.collect(audited, "serious")
    assert after.labels.asset_ids == before.labels.asset_ids[1:]
