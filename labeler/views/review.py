"""Candidate beside champion on the same audit answers: all that an owner needs to decide, or why it is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.catalog import gates
from attune.labeler.catalog.aliases import aliases_of, is_draft
from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.labeler.catalog.gate_outcomes import Gate
from attune.labeler.catalog.kept_review import Made
from attune.labeler.catalog.run_facts import LATEST, classes_of, find_run, thresholds_of
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Attribute, Run, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import (
    quality,
    review_comparison,
    review_facts,
    review_mistakes,
    review_pairs,
    review_plots,
    review_rows,
    review_slices,
    review_verdict,
)
from attune.labeler.views.quality import Point, Quality, of
from attune.labeler.views.review_comparison import Comparison
from attune.labeler.views.review_facts import Agreement, Provenance
from attune.labeler.views.review_mistakes import Confusion, Mistake
from attune.labeler.views.review_pairs import Pairs
from attune.labeler.views.review_plots import Plots
from attune.labeler.views.review_rows import Line, Row
from attune.labeler.views.review_slices import Slices
from attune.labeler.views.verdict import Verdict
from attune.models.catalog.manifest import CHAMPION
from attune.models.evaluation.metrics import FIRST
from attune.models.labels.class_coverage import missing_sentences
from attune.models.text import counted

CHOICES = 30  # of the newest runs, beside every version


@dataclass(frozen=True)
class Choice:
    """A run that may be looked at, in words."""

    number: int
    words: str


@dataclass(frozen=True)
class Side:
    """One run under review; ``state`` is candidate, published or retired, ``aliases`` those that point at it,
    ``draft``: it is published although a class had no answer."""

    number: int
    answers: int
    finished_at: datetime
    state: str
    aliases: Sequence[str]
    draft: bool


@dataclass(frozen=True)
class Review:
    """All that the page shows. ``verdict`` opens it; ``pairs`` is None where two runs cannot be compared.

    ``missing`` says why nothing was measured today, or is empty; ``lines`` are those that part. ``warnings`` say of
    which classes the candidate has no answer, or none to learn from.

    ``few``: too few audit answers are in for any figure. ``led``: the newest of the two sides, where its scores led the
    draw of the audits and the other's did not, so that only the other's figures have the draw in their curve.
    ``made``: when a worker measured this, None where it was measured now; ``newest``: the newest run there is.
    """

    name: str
    question: str
    classes: Sequence[str]
    choices: Sequence[Choice]
    candidate: Side
    champion: Side | None
    verdict: Verdict
    pairs: Pairs | None
    audits: int
    missing: str
    warnings: Sequence[str]
    few: bool
    led: int | None
    rows: Sequence[Row]
    lines: Sequence[Line]
    difference: Quality | None
    gates: Sequence[Gate]
    plots: Plots
    curve: Sequence[Point]
    confusion: Confusion | None
    mistakes: Sequence[Mistake]
    suspected: Sequence[Mistake]
    slices: Slices
    agreement: Agreement
    provenance: Provenance
    made: Made | None = None
    newest: int = 0

    @property
    def same(self) -> bool:
        """Whether the candidate is the champion itself."""
        return self.champion is not None and self.champion.number == self.candidate.number

    @property
    def draft_only(self) -> bool:
        """Whether a class has no answer, so that the candidate can only be promoted as a draft."""
        return any(gate.name == "answers_per_class" and gate.value == 0 for gate in self.gates)

    @property
    def judged(self) -> bool:
        """Whether any figure of the candidate is known, of today or as it was recorded."""
        return any(row.candidate.known for row in self.rows)

    @property
    def measured(self) -> Sequence[Row]:
        """The rows that hold a figure of either side."""
        return [row for row in self.rows if row.known]

    @property
    def measured_at_thresholds(self) -> bool:
        """Whether a figure is among them that holds at a line."""
        return any(row.at_line for row in self.measured)

    @property
    def unmeasured(self) -> Mapping[str, Sequence[str]]:
        """The titles of the other rows by the reason why they hold none."""
        by_reason: dict[str, list[str]] = {}
        for row in self.rows:
            if not row.known:
                by_reason.setdefault(row.candidate.reason, []).append(row.title)
        return by_reason

    @property
    def stopping(self) -> Sequence[Gate]:
        """The gates that stop a promotion unless an owner overrides them."""
        return gates.failing(self.gates)


def review(
    settings: Settings,
    viewer: Viewer,
    name: str,
    candidate: str = LATEST,
    column: str = "",
    class_name: str = "",
) -> Review:
    """The review of run ``candidate`` (a number, or the newest): ``column`` slices it, ``class_name`` is plotted.

    Raises UnknownAttribute, UnknownProbe where there is no such run, and NotMeasured as `review_comparison.compare`.
    """
    found = review_comparison.compare(settings, name, candidate or LATEST)
    attribute, run, evidence = found.attribute, found.run, found.evidence
    mine, theirs, rival = found.mine, found.theirs, found.rival
    others = None if rival is None else gates.measured(evidence, rival, theirs)
    missing, cuts = evidence.why_not(run), thresholds_of(run, attribute.classes)
    with reading(settings) as session:
        return Review(
            name=name,
            question=attribute.question,
            classes=attribute.classes,
            choices=_choices(session, attribute, run),
            candidate=_side(session, attribute, run),
            champion=None if found.champion is None else _side(session, attribute, found.champion),
            verdict=review_verdict.verdict_on(session, found),
            pairs=_pairs(session, viewer, found),
            audits=len(evidence.labels),
            missing=missing,
            warnings=missing_sentences(classes_of(session, attribute, run), run.labels or {}),
            few=_few(evidence, run),
            led=_led(mine, theirs),
            rows=review_rows.rows(attribute.classes, found.metrics, others, missing),
            lines=[] if rival is None else review_rows.lines(attribute.classes, run, rival),
            difference=None if found.difference is None else of(found.difference),
            gates=found.gates,
            plots=review_plots.plots(evidence, class_name, mine, theirs, missing),
            curve=quality.curve(session, attribute.id),
            confusion=None if mine is None else review_mistakes.confusion(evidence, mine, cuts),
            mistakes=review_mistakes.mistakes(session, viewer, evidence, run, mine),
            suspected=review_mistakes.suspected(session, settings, viewer, evidence),
            slices=review_slices.slices(session, evidence, mine, cuts, column),
            agreement=review_facts.agreement(evidence, mine),
            provenance=review_facts.provenance(session, evidence, run),
            made=found.made,
            newest=find_run(session, attribute, LATEST).number,
        )


def _pairs(session: Session, viewer: Viewer, found: Comparison) -> Pairs | None:
    if found.rival is None or found.mine is None or found.theirs is None:
        return None
    return review_pairs.pairs(session, viewer, found.evidence, found.run, found.rival, found.mine, found.theirs)


def _few(evidence: Evidence, run: Run) -> bool:
    """Whether nothing but audit answers is missing."""
    only = evidence.why_not(run) in ("", evidence.missing)
    return evidence.encoder is not None and only and len(evidence.labels) < FIRST


def _led(mine: Scored | None, theirs: Scored | None) -> int | None:
    if mine is None or theirs is None or (mine.pool_inclusion is None) == (theirs.pool_inclusion is None):
        return None
    return mine.run if mine.pool_inclusion is None else theirs.run


def _choices(session: Session, attribute: Attribute, run: Run) -> list[Choice]:
    versions = dict(
        session.execute(select(Version.version, Version.retired_at).where(Version.attribute_id == attribute.id)).all()
    )
    aliases = aliases_of(session, attribute)
    newest = select(Run.number).where(Run.attribute_id == attribute.id).order_by(Run.number.desc()).limit(CHOICES)
    numbers = sorted({*versions, run.number, *session.scalars(newest)}, reverse=True)
    answers = dict(
        session.execute(
            select(Run.number, Run.answers).where(Run.attribute_id == attribute.id, Run.number.in_(numbers))
        ).all()
    )

    def words(number: int) -> str:
        names = ["in use" if alias == CHAMPION else alias for alias, version in aliases.items() if version == number]
        state = "" if number not in versions else "retired" if versions[number] else "published"
        description = ", ".join([*names, *([state] if state and not names else [])])
        noun = "Version" if number in versions or number < aliases.get(CHAMPION, 0) else "New version"
        return f"{noun} {number}, {counted(answers[number], 'answer')}{f' ({description})' if description else ''}"

    return [Choice(number, words(number)) for number in numbers]


def _side(session: Session, attribute: Attribute, run: Run) -> Side:
    version = session.scalar(select(Version).where(Version.attribute_id == attribute.id, Version.version == run.number))
    state = "candidate" if version is None else "retired" if version.retired_at else "published"
    pointing = sorted(alias for alias, number in aliases_of(session, attribute).items() if number == run.number)
    draft = version is not None and is_draft(version)
    return Side(run.number, run.answers, run.finished_at, state, pointing, draft)
