"""A round sees on its audits who answers otherwise, long before the experts share images, and what that cost."""

from __future__ import annotations

from dataclasses import replace

from models.answers import AUDIT, SKIP, Answer
from tests.workers.test_figures import probe_of, studio
from workers import contradicted, figures
from workers.snapshot import Snapshot

GUS, MARA, NILS = "gus@x.org", "mara@x.org", "nils@x.org"


def shared_out(audits: int, guesses: bool) -> Snapshot:
    """Three experts with a third of the audits each, none of an image that another has; Gus guesses, or does not."""
    seen = studio(audits, training=110)
    told: list[Answer] = []
    for i, one in enumerate(seen.answers):
        expert = (MARA, NILS, GUS)[i % 3]
        value = ("yes", "no")[(i // 3) % 2] if guesses and expert == GUS and one.purpose == AUDIT else one.value
        told.append(replace(one, expert=expert, value=value))
    return replace(seen, answers=tuple(told))


def test_a_guesser_is_named_although_no_image_is_shared_and_the_others_audits_say_how_good_it_is() -> None:
    seen = shared_out(60, guesses=True)
    probe = probe_of(seen)
    kept, odd = contradicted.told(seen, probe)
    assert odd is not None
    assert kept["odd"] == odd.expert == GUS
    assert {one["expert"]: one["agrees"]["n"] for one in kept["told"]} == {GUS: 20, MARA: 20, NILS: 20}
    measured = figures.measure(seen, probe, None)
    everybody = measured["average_precision"]
    assert kept["without"]["n"] == 40
    assert kept["without"]["value"] > (everybody.value or 0) + 0.1


def test_nobody_is_named_among_experts_who_answer_alike_or_before_any_audit() -> None:
    for seen in (shared_out(60, guesses=False), studio(0), studio(40)):
        kept, odd = contradicted.told(seen, probe_of(seen))
        assert odd is None
        assert "odd" not in kept
        assert "without" not in kept


def test_skips_and_doubts_are_no_answers_to_contradict() -> None:
    seen = shared_out(30, guesses=False)
    answers = tuple(
        replace(one, value=SKIP if i % 2 else "unsure") if one.purpose == AUDIT and one.expert == MARA else one
        for i, one in enumerate(seen.answers)
    )
    kept, _ = contradicted.told(replace(seen, answers=answers), probe_of(seen))
    assert MARA not in {one["expert"] for one in kept["told"]}
