"""Who is asked again, about what and why: within a share, never the one who answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.labels.agreement_sample import drawn_at_random
from attune.models.labels.answers import IMPORT, SKIP, UNSURE
from attune.models.probes.learner import fit
from attune.workers.rounds import second_opinions
from attune.workers.rounds.second_opinions import ALONE, BY_LOT, DISAGREE, UNSURE_ALONE, SecondOpinionPlan, share
from attune.workers.rounds.snapshot import Snapshot
from tests.workers.rounds.test_queue_plan import VIEW, N, ask, snapshot, task

TRUTH = np.where(VIEW.pool.rows(np.arange(N))[:, 0] > 0, "yes", "no").tolist()
Said = Sequence[tuple[int, int, str]]


def seen(said: Said, queues: int = 3, share: float = 0.0, **more: Any) -> Snapshot:
    made = snapshot(queues, said=said, **more)
    made.attribute.settings = {"seed": 5, "reserved_share": share, "strategy": "attune"}
    return made


def again(made: Snapshot) -> SecondOpinionPlan:
    probe = fit(made.view.pool, made.training, made.attribute.classes, None, made.learner, made.seed)
    return second_opinions.plan_second_opinions(made, probe, None)


def one_each(answers: int, experts: int = 3) -> list[tuple[int, int, str]]:
    return [(row, 1 + row % experts, TRUTH[row]) for row in range(answers)]


def test_nobody_is_asked_again_while_one_expert_works_alone_or_the_share_is_used_up() -> None:
    assert again(seen([(row, 1, TRUTH[row]) for row in range(80)], queues=1)).rows == ()
    assert again(seen(one_each(9))).rows == ()
    used = one_each(80) + [(row, 1 + (row + 1) % 3, TRUTH[row]) for row in range(8)]
    assert again(seen(used)).rows == ()
    waiting = [task(key, key, 1 + (key + 1) % 3, purpose="second-opinion") for key in range(8)]
    assert again(seen(one_each(80), asked=waiting)).rows == ()


def test_the_share_grows_from_a_tenth_to_a_sixth_as_new_images_buy_less() -> None:
    assert share(0) == share(120) == 0.1
    assert share(480) == share(5000) == 1 / 6
    assert 0.1 < share(300) < 1 / 6


def test_one_whose_answer_was_set_aside_is_not_asked_the_same_image_again() -> None:
    """Label Studio has it as answered there, so nobody would have been asked, round after round."""
    disputed = [(7, 1 + 8 % 3, "no" if TRUTH[7] == "yes" else "yes")]
    had = [task(500, 7, 1, "answered", purpose="second-opinion")]  # by the one who has not answered
    found = again(seen([*one_each(60), *disputed], asked=had))
    assert 7 not in found.rows
    assert found.rows
    lot = [row for row in found.rows if found.reasons[row] == BY_LOT]
    aside = [task(600 + row, row, expert, "answered") for row in lot for expert in (1, 2, 3) if expert != 1 + row % 3]
    rest = again(seen([*one_each(60), *disputed], asked=[*had, *aside]))
    assert not set(lot) & set(rest.rows)


def test_a_dispute_is_put_to_the_one_who_has_not_answered() -> None:
    said = [*one_each(60), (7, 1 + 8 % 3, "no" if TRUTH[7] == "yes" else "yes")]
    found = again(seen(said))
    assert next(row for row in found.rows if found.reasons[row] != BY_LOT) == 7
    assert found.reasons[7] == DISAGREE
    assert found.whom[7] == 1
    assert found.explain(ask(7, "second-opinion")).reason == DISAGREE
    assert found.explain(ask(7)).reason == "because"


def test_an_answer_that_the_others_speak_against_is_asked_again_before_one_that_fits() -> None:
    clear = int(np.argmax(np.abs(VIEW.pool.rows(np.arange(60))[:, 0])))
    said = [
        (row, who, value if row != clear else ("no" if value == "yes" else "yes")) for row, who, value in one_each(60)
    ]
    found = again(seen(said))
    assert clear in found.rows
    assert found.reasons[clear] == ALONE
    assert found.whom[clear] != 1 + clear % 3


def test_images_of_the_lot_are_asked_again_whatever_was_said_and_never_for_doubt() -> None:
    ids = [f"a{row}" for row in range(80)]
    drawn = set(np.flatnonzero(drawn_at_random(ids, 5)).tolist())
    assert drawn
    said = one_each(80)
    for answers in (said, [(row, who, "yes") for row, who, _ in said]):
        found = again(seen(answers))
        assert {row for row in found.rows if found.reasons[row] == BY_LOT} == drawn
        assert set(found.rows[: len(drawn)]) == drawn, "first, or doubt would use up the share"
        assert all(found.whom[row] != 1 + row % 3 for row in drawn)
    tied = [(row, 1 + (row + 1) % 3, "no" if TRUTH[row] == "yes" else "yes") for row in drawn]
    later = again(seen([*one_each(120), *tied]))
    assert later.rows
    assert not drawn & set(later.rows)


def test_an_unsure_alone_is_put_to_another_and_a_skip_is_not_an_answer() -> None:
    said = [*one_each(38), (50, 1, UNSURE), (51, 1, UNSURE), (51, 2, UNSURE), (51, 3, UNSURE), (52, 1, SKIP)]
    found = again(seen(said))
    assert not {51, 52} & set(found.rows)
    if 50 in found.rows:
        assert found.reasons[50] == UNSURE_ALONE
        assert found.whom[50] != 1
    alone = again(seen([(row, 1, UNSURE) for row in range(20)], queues=2))
    assert len(alone.rows) == 2
    assert set(alone.whom.values()) == {2}


def test_chosen_and_imported_answers_about_audit_titles_are_never_asked_again() -> None:
    made = seen(one_each(80), share=0.3)
    kept = set(pool_reserved_mask(VIEW.pool, np.arange(N), 0.3, 5).nonzero()[0].tolist())
    assert kept & set(range(80)), "some of what was answered is of audit titles"
    found = again(made)
    assert found.rows
    assert not kept & set(found.rows)


def test_a_large_import_does_not_fill_the_queues_with_second_opinions() -> None:
    made = seen(one_each(80))
    assert len(again(made).rows) == 6, "the most at once"
    brought = replace(made, answers=tuple(replace(one, purpose=IMPORT) for one in made.answers))
    assert again(brought).rows == ()
    # Ten questions since then, one of them about an imported image: the share of ten is used up.
    asked = (*one_each(80), *((row, 1 + row % 3, TRUTH[row]) for row in range(100, 109)), (5, 1, TRUTH[5]))
    both = seen(asked)
    mixed = [replace(one, purpose=IMPORT) if i < 80 else one for i, one in enumerate(both.answers)]
    assert again(replace(both, answers=tuple(mixed))).rows == ()
    twenty = seen((*one_each(80), *((row, 1 + row % 3, TRUTH[row]) for row in range(100, 120))))
    some = [replace(one, purpose=IMPORT) if i < 80 else one for i, one in enumerate(twenty.answers)]
    assert len(again(replace(twenty, answers=tuple(some))).rows) == 2
