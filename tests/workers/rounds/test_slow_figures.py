"""What pages tell beside the figures: how varied the answers are, where nobody has looked, the probe and a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from attune.labeler.records.run_advice import Outlook, RunAdvice
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.models.labels.answers import Answer
from attune.workers.rounds import round_figures, slow_figures
from attune.workers.rounds.snapshot import Snapshot
from tests.support import factories
from tests.workers.rounds.test_queue_plan import NOON
from tests.workers.rounds.test_round_figures import studio


def changed(seen: Snapshot, **fields: object) -> Snapshot:
    held = {name: getattr(seen, name) for name in Snapshot.__dataclass_fields__}
    return Snapshot(**{**held, **fields})  # type: ignore[arg-type]


def test_regions_nobody_has_looked_at_come_first_and_show_no_audit_title() -> None:
    seen = studio(12, training=30)
    found = slow_figures.forecast(seen, None)
    labels = [region.labels / region.share for region in found.regions]
    assert labels == sorted(labels)
    shown = {asset for region in found.regions for asset in region.examples}
    assert shown
    assert not shown & {f"a{row}" for row in round_figures.reserved_rows(seen)}
    assert 0 < found.diversity < 1


def test_more_answers_are_more_diverse() -> None:
    scores = [slow_figures.forecast(studio(0, training=training), None).diversity for training in (0, 20, 60)]
    assert scores == sorted(scores)
    assert scores[0] == 0


def test_a_second_expert_gives_a_person_to_hold_the_probe_against() -> None:
    alone = studio(0, training=60)
    assert slow_figures.parity(alone, None)["expert"]["value"] is None
    others = [
        Answer(one.asset_id, one.title_id, "e2@x.org", one.value if i % 6 else "no", "spread", NOON)
        for i, one in enumerate(alone.answers)
    ]
    both = slow_figures.parity(changed(alone, answers=(*alone.answers, *others)), None)
    assert both["expert"]["value"] == pytest.approx(0.8, abs=0.2)
    assert both["probe"]["value"] is not None
    assert both["difference"]["lo"] <= both["difference"]["value"] <= both["difference"]["hi"]


def test_what_a_person_chose_or_imported_of_an_audit_title_is_left_out() -> None:
    seen = studio(0, training=60)
    rows = round_figures.reserved_rows(seen)[:5].tolist()
    apart = [Answer(f"a{row}", f"t{row}", "e1@x.org", "yes", "import", NOON) for row in rows]
    both = changed(seen, answers=(*seen.answers, *apart))
    assert slow_figures.parity(both, None) == slow_figures.parity(seen, None)


def test_it_is_renewed_every_few_answers_and_kept_with_the_run(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    seen = studio(0, training=30)
    romance = factories.add_attribute(settings)
    run = factories.add_run(settings, romance, answers=30, advice={"state": "labelling"})
    seen.attribute.id = romance.id
    assert slow_figures.due(seen)
    slow_figures.record_forecast(settings, seen, run.number, None)
    with reading(settings) as session:
        kept = session.scalars(select(Run).where(Run.attribute_id == romance.id)).one()
    assert kept.advice["state"] == "labelling"
    assert kept.advice["outlook"]["answers"] == seen.count == 30
    assert not slow_figures.due(changed(seen, last_run=kept))
    assert slow_figures.due(changed(studio(0, training=40), last_run=kept))


@pytest.mark.parametrize(
    ("count", "before", "due"), [(50, 41, False), (50, 40, True), (4000, 3961, False), (4000, 3960, True)]
)
def test_of_many_answers_they_wait_for_one_in_a_hundred(count: int, before: int, due: bool) -> None:
    seen = changed(studio(0), last_run=Run(advice=RunAdvice(outlook=Outlook(answers=before)).to_dict()))
    seen.__dict__["count"] = count
    assert slow_figures.due(seen) is due
    assert slow_figures.are_many(seen) is (count == 4000)
