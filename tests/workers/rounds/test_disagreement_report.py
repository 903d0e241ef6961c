"""A round sees on its audits who answers otherwise, long before the experts share images, and what that cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from attune.labeler.settings import build
from attune.models.labels.answers import AUDIT, SKIP, Answer
from attune.workers.rounds import disagreement_report, round_figures, stop_advice
from attune.workers.rounds.snapshot import Snapshot
from tests.support import factories
from tests.workers.rounds.test_queue_plan import NOON
from tests.workers.rounds.test_round_figures import probe_of, studio

GUS, MARA, NILS = "gus@x.org", "mara@x.org", "nils@x.org"


def shared_out(audits: int, guesses: bool) -> Snapshot:
    """Three experts with a third of the audits each, none of an image that another has; Gus guesses, or does not."""
    seen = studio(audits, training=110)
    told: list[Answer] = []
    for i, one in enumerate(seen.answers):
        expert = (MARA, NILS, GUS)[i % 3]
        value = ("yes", "no")[(i // 3) % 2] if guesses and expert == GUS and one.purpose == AUDIT else one.value
        told.append(replace(one, expert=expert, value=value, answered_at=NOON + timedelta(seconds=i)))
    return replace(seen, answers=tuple(told))


def test_a_guesser_is_named_although_no_image_is_shared_and_the_others_audits_say_how_good_it_is() -> None:
    seen = shared_out(60, guesses=True)
    probe = probe_of(seen)
    kept = disagreement_report.report(seen, probe)
    assert kept.odd == GUS
    assert "the probe disagrees" in kept.sentence
    assert "gus" not in kept.sentence
    assert {one.expert: one.agrees["n"] for one in kept.told} == {GUS: 20, MARA: 20, NILS: 20}
    measured = round_figures.measure(seen, probe, None)
    everybody = measured["average_precision"]
    assert kept.without["n"] == 40
    assert kept.without["value"] > (everybody.value or 0) + 0.1
    rest = replace(seen, answers=tuple(one for one in seen.answers if one.expert != GUS))
    alone = round_figures.measure(rest, probe, None)["average_precision"]
    assert kept.without == alone.to_dict(), "measured as the run's own figure is"


def test_audits_on_images_that_their_expert_chose_name_nobody() -> None:
    """Whoever chooses an image may have read what others or the probe say: such an answer is not independent."""
    seen = shared_out(60, guesses=True)
    own = frozenset((one.asset_id, one.expert) for one in seen.answers if one.expert == GUS)
    kept = disagreement_report.report(replace(seen, own=own), probe_of(seen))
    assert kept.odd is None
    assert {one.expert for one in kept.told} == {MARA, NILS}


def test_nobody_is_named_among_experts_who_answer_alike_or_before_any_audit() -> None:
    for seen in (shared_out(60, guesses=False), studio(0), studio(40)):
        kept = disagreement_report.report(seen, probe_of(seen))
        assert kept.odd is None
        assert kept.without is None


def test_skips_and_doubts_are_no_answers_to_contradict() -> None:
    seen = shared_out(30, guesses=False)
    answers = tuple(
        replace(one, value=SKIP if i % 2 else "unsure") if one.purpose == AUDIT and one.expert == MARA else one
        for i, one in enumerate(seen.answers)
    )
    kept = disagreement_report.report(replace(seen, answers=answers), probe_of(seen))
    assert MARA not in {one.expert for one in kept.told}


def test_a_round_keeps_who_differs_beside_its_advice_and_stays_what_it_is(tmp_path: Path) -> None:
    """The state, the stop and the audit's pace follow from the probe, and not from a person."""
    settings = build({}, workspace=tmp_path)
    factories.newest(settings)
    seen = shared_out(60, guesses=True)
    probe = probe_of(seen)
    said = stop_advice.advice(settings, seen, probe, round_figures.measure(seen, probe, None))
    assert said.differs == GUS
    assert said.state not in ("outlier", "hopeless")
    alike = shared_out(60, guesses=False)
    probe = probe_of(alike)
    assert stop_advice.advice(settings, alike, probe, round_figures.measure(alike, probe, None)).differs is None


def test_images_that_a_person_chose_do_not_count() -> None:
    seen = shared_out(60, guesses=True)
    picked = [replace(one, purpose="seed", inclusion=None) for one in seen.answers if one.purpose == AUDIT]
    chosen = (*(one for one in seen.answers if one.purpose != AUDIT), *picked)
    assert disagreement_report.report(replace(seen, answers=chosen), probe_of(seen)).told == ()
