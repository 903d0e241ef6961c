"""The figures of a review, row by row, and the lines that they hold at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attune.labeler.catalog.run_facts import thresholds_of
from attune.labeler.records.schema import Run
from attune.labeler.views.quality import Quality, of
from attune.models.evaluation.evaluate import headline
from attune.models.evaluation.metrics import Metric, unknown


@dataclass(frozen=True)
class Row:
    """One figure of both; ``champion`` is None where there is none to compare with."""

    title: str
    candidate: Quality
    champion: Quality | None
    low_is_good: bool = False
    at_line: bool = False  # it holds at the probability from which on the run says the class

    @property
    def known(self) -> bool:
        """Whether it holds a figure of either side."""
        return self.candidate.known or (self.champion is not None and self.champion.known)


@dataclass(frozen=True)
class Line:
    """The probability from which on each run says ``name``: two runs' precision and recall hold at two of them."""

    name: str
    candidate: float
    champion: float


def rows(
    classes: Sequence[str], figures: Mapping[str, Metric], others: Mapping[str, Metric] | None, reason: str
) -> list[Row]:
    """All that may be told of a run, and of the champion beside it; ``reason`` stands where nothing was measured."""
    first = f" of “{classes[0]}”" if len(classes) == 2 else ", mean over classes"
    names = [("average_precision", f"Average precision{first}")]
    if len(classes) > 2:
        names += [(f"average_precision:{name}", f"Average precision of “{name}”") for name in classes]
    for name in headline(classes):
        names += [(f"precision:{name}", f"Precision of “{name}”"), (f"recall:{name}", f"Recall of “{name}”")]
    names.append(("calibration_error", "Calibration error"))
    empty = unknown("", 0, "", reason or "not measured")

    def quality_of(metrics: Mapping[str, Metric], key: str) -> Quality:
        return of(metrics.get(key, empty))

    return [
        Row(
            title,
            quality_of(figures, key),
            None if others is None else quality_of(others, key),
            low_is_good=key == "calibration_error",
            at_line=key.startswith(("precision:", "recall:")),
        )
        for key, title in names
    ]


def lines(classes: Sequence[str], run: Run, champion: Run) -> list[Line]:
    """Where the two runs' lines part, as they are told."""
    mine = thresholds_of(run, classes)
    theirs = thresholds_of(champion, classes)
    found = [Line(name, mine[name], theirs[name]) for name in headline(classes) if name in mine and name in theirs]
    return [line for line in found if f"{line.candidate:.2f}" != f"{line.champion:.2f}"]
