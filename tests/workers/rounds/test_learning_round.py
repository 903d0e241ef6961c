"""What a run keeps of its labels: also the audits whose answers are still to come."""

from __future__ import annotations

from attune.workers.rounds import learning_round
from attune.workers.rounds.snapshot import Snapshot
from tests.workers.rounds.test_round_figures import studio


def test_a_run_says_how_many_drawn_audits_are_still_open() -> None:
    seen = studio(12)
    rows = seen.view.positions(answer.asset_id for answer in seen.answers)
    every = {name: getattr(seen, name) for name in Snapshot.__dataclass_fields__}
    done = Snapshot(**{**every, "answer_rows": tuple((int(row), 1) for row in rows)})
    some = Snapshot(**{**every, "answer_rows": done.answer_rows[:-5], "answers": seen.answers[:-5]})
    assert [learning_round.summary(one)["audits_pending"] for one in (done, some)] == [0, 5]
    assert learning_round.summary(some)["audited"] == 7
