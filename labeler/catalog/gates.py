"""Gates: what a version should pass before it is promoted, each with its value and its bound.

By default they are shown and kept in the history. An attribute's setting ``gates`` moves bounds and makes gates
binding: ``{"audit_lower_bound": {"bound": 0.5, "enforced": true}}``; an owner may override with a written reason.
No gate passes on nothing: where there is nothing to judge it is not applicable, and stops no one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from attune.labeler.assets.active_encoder import active_encoder
from attune.labeler.attributes import attributes
from attune.labeler.catalog import review_figures
from attune.labeler.catalog.audit_evidence import Evidence, Scored, paired
from attune.labeler.catalog.evidence_cache import gather
from attune.labeler.catalog.gate_outcomes import Gate
from attune.labeler.catalog.run_facts import classes_of, thresholds_of
from attune.labeler.records.schema import Alias, Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import CHAMPION
from attune.models.errors import GateFailed
from attune.models.evaluation.metrics import Metric
from attune.models.labels.class_coverage import draft_classes, quoted_list, smallest_class_answers


@dataclass(frozen=True)
class Rule:
    """What a gate asks: its default ``bound``, the range that a bound may have, and which side of it passes."""

    bound: float
    least: float
    most: float
    title: str
    text: str
    at_most: bool = False
    counts: bool = False  # a value of 0 is nothing: a bound of 0 lets it through, and is not passed by it


RULES: dict[str, Rule] = {
    "audit_answers": Rule(30, 0, 1_000_000, "Audit answers", "audit answers, at least", counts=True),
    "audit_lower_bound": Rule(0.5, 0, 1, "Average precision, lower end", "lower end of the 95 % interval, at least"),
    "not_worse_than_champion": Rule(
        0.0, -1, 1, "Not clearly worse than the champion", "paired difference: upper end of the 95 % interval, at least"
    ),
    "calibration": Rule(0.1, 0, 1, "Calibration", "calibration error on audit answers, at most", at_most=True),
    "agreement": Rule(0.4, -1, 1, "Agreement", "agreement of the experts (Krippendorff's alpha), at least"),
    "encoder": Rule(1, 0, 1, "Encoder", "trained with the active encoder (1: required, 0: not required)", counts=True),
    "answers_per_class": Rule(
        1, 0, 1_000_000, "Answers per class", "answers in the smallest class, at least", counts=True
    ),
}


def check(settings: Settings, attribute: str, run: Run) -> list[Gate]:
    """Every gate for ``run`` against today's champion, on today's answers. Raises UnknownAttribute."""
    champion = champion_of(settings, attribute)
    evidence = gather(settings, attribute)
    difference = None if champion is None or champion.id == run.id else paired(evidence, run, champion)
    scored = None if evidence.why_not(run) else evidence.scored(run)
    return outcome(settings, evidence, run, champion, measured(evidence, run, scored), difference)


def champion_of(settings: Settings, attribute: str) -> Run | None:
    """The run that champion points at, or None. Raises UnknownAttribute."""
    with reading(settings) as session:
        row = attributes.find(session, attribute)
        return session.scalar(
            select(Run)
            .join(Alias, Alias.version == Run.number)
            .where(Run.attribute_id == row.id, Alias.attribute_id == row.id, Alias.alias == CHAMPION)
        )


def measured(evidence: Evidence, run: Run, scored: Scored | None) -> dict[str, Metric]:
    """The run's figures on today's answers; those that it was recorded with where it cannot be judged today."""
    metrics = {name: Metric.from_dict({"name": name, "method": ""} | metric) for name, metric in run.metrics.items()}
    together = review_figures.together(evidence)
    if together is not None:
        metrics["alpha"] = together
    return metrics if scored is None else metrics | evidence.figures(scored, thresholds_of(run, evidence.classes))


def outcome(
    settings: Settings,
    evidence: Evidence,
    run: Run,
    champion: Run | None,
    figures: Mapping[str, Metric],
    difference: Metric | None,
) -> list[Gate]:
    """Each gate from figures that were measured already."""
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    absent: dict[str, str] = {}
    quality = figures.get("average_precision")
    values["audit_answers"] = quality.n if quality else 0
    for gate, name, side in (
        ("audit_lower_bound", "average_precision", "lo"),
        ("calibration", "calibration_error", "value"),
        ("agreement", "alpha", "value"),
    ):
        metric = figures.get(name)
        values[gate] = getattr(metric, side) if metric else None
        reasons[gate] = metric.reason if metric else evidence.why_not(run) or "not measured"
    if champion is None:
        absent["not_worse_than_champion"] = "there is no champion yet"
    elif champion.id == run.id:
        absent["not_worse_than_champion"] = "this is the champion"
    elif difference is not None:
        values["not_worse_than_champion"] = difference.hi
        reasons["not_worse_than_champion"] = difference.reason
    with reading(settings) as session:
        attribute = attributes.find(session, evidence.attribute.name)
        encoder, attribute_settings, classes = (
            active_encoder(session),
            attribute.settings,
            classes_of(session, attribute, run),
        )
    values["encoder"] = None if encoder is None else float(encoder.digest == run.encoder_digest)
    reasons["encoder"] = "the pool has no encoder yet"
    values["answers_per_class"], reasons["answers_per_class"] = _answers_per_class(classes, run.labels or {})
    return judge(values, attribute_settings.get("gates") or {}, reasons, absent)


def _answers_per_class(classes: Sequence[str], labels: Mapping[str, Any]) -> tuple[int | None, str]:
    """The fewest answers that a class has to learn from, and the reason where that is none or not known."""
    missing = draft_classes(classes, labels)
    least = 0 if len(missing) == len(classes) else smallest_class_answers(classes, labels)
    if least is None:
        return None, "no counts are recorded for this run"
    return least, f"no training answer for {quoted_list(missing)}" if missing else ""


def judge(
    values: Mapping[str, float | None],
    settings: Mapping[str, Mapping[str, Any]],
    reasons: Mapping[str, str] | None = None,
    absent: Mapping[str, str] | None = None,
) -> list[Gate]:
    """Each gate by its value and the attribute's own bounds; ``absent`` says of some why there is nothing to judge."""
    gates = []
    for name, rule in RULES.items():
        own = settings.get(name) or {}
        value, bound = values.get(name), float(own.get("bound", rule.bound))
        passed: bool | None = None
        reason = (reasons or {}).get(name, "")
        nothing = (absent or {}).get(name, "")
        if value is not None:
            passed = value <= bound if rule.at_most else value >= bound
            reason = "" if passed else reason
            if passed and rule.counts and not value:
                nothing = "its bound is 0"
        passed = None if nothing else passed
        enforced = bool(own.get("enforced", False))
        gates.append(Gate(name, passed, value, bound, enforced, rule.text, nothing or reason, not nothing))
    return gates


def failing(gates: Sequence[Gate]) -> list[Gate]:
    """The enforced gates that were not passed: those that stop a promotion."""
    return [gate for gate in gates if gate.stops]


def refuse(gates: Sequence[Gate], attribute: str, version: int, override: bool) -> None:
    """Raise GateFailed where an enforced gate was not passed and no one overrides it."""
    failed = failing(gates)
    if failed and not override:
        failed_text = "; ".join(
            f"{gate.name}: {_shown(gate.value)}, bound {gate.bound:g} ({gate.text})" for gate in failed
        )
        raise GateFailed(
            f"{attribute} version {version} fails {failed_text}. Get more audit answers (`attune audit {attribute}`), "
            f"or override the gate: `attune probes promote {attribute} {version} --override --reason R`"
        )


def _shown(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"
