"""Progress where no bar can move: a line for each tenth, and one after a silence where a person waits for it."""

from __future__ import annotations

import pytest

from attune.labeler.cli import progress_bars
from attune.labeler.cli.progress_bars import bars


class Clock:
    """A clock that a test sets."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress_bars, "time", made)
    return made


def reported(clock: Clock, lines: bool, seconds_each: float, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What stderr has after 160 steps, each ``seconds_each`` after the last."""
    with bars(lines=lines) as start:
        report = start("Experts answer")
        for done in range(1, 161):
            clock.seconds += seconds_each
            report(done, 160)
    return capsys.readouterr().err.splitlines()


def test_a_demo_that_is_slow_reports_every_few_answers(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = reported(clock, True, 2.0, capsys)
    assert lines[0] == "Experts answer …"
    counts = [int(line.split(": ")[1].split(" ")[0]) for line in lines[1:]]
    assert max(later - before for before, later in zip([0, *counts], counts, strict=False)) <= 3
    assert counts[-1] == 160


@pytest.mark.parametrize(("lines", "seconds"), [(True, 0.01), (False, 2.0)])
def test_what_is_quick_or_read_by_a_log_alone_reports_its_tenths(
    clock: Clock, capsys: pytest.CaptureFixture[str], lines: bool, seconds: float
) -> None:
    assert len(reported(clock, lines, seconds, capsys)) == 10 + lines
