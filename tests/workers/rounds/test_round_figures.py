"""A round's figures from the first answer on: honest about having none, calibrated once there are audits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from attune.labeler.records.schema import Run
from attune.labeler.settings import build
from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.metrics import Metric
from attune.models.labels.answers import AUDIT, Answer
from attune.models.probes.learner import fit
from attune.models.probes.probe import Probe
from attune.workers.rounds import audit_questions, round_figures, stop_advice
from attune.workers.rounds.snapshot import Snapshot
from tests.support import factories
from tests.workers.rounds.test_queue_plan import NOON, VIEW, snapshot


def studio(audits: int, classes: tuple[str, ...] = ("yes", "no"), training: int = 20) -> Snapshot:
    """A snapshot whose answers follow the first dimensions of the vectors; the audit is drawn as a round would."""
    x = VIEW.pool.rows(np.arange(len(VIEW.pool)))
    truth = x[:, 0] > 0 if len(classes) == 2 else x[:, : len(classes)].argmax(axis=1)
    value = (
        [classes[0] if one is np.True_ else classes[1] for one in truth]
        if len(classes) == 2
        else [classes[i] for i in truth]
    )
    seen = snapshot(1)
    seen.attribute.classes = list(classes)
    seen.attribute.settings = {"seed": 5, "reserved_share": 0.4, "strategy": "attune"}
    reserved = round_figures.reserved_rows(seen)
    free = np.setdiff1d(np.arange(len(x)), reserved)[:training]
    design = AuditDesign(5)
    drawn = (
        design.extend(VIEW.pool.asset_ids[reserved].tolist(), VIEW.pool.title_ids[reserved].tolist(), None, audits)
        if audits
        else []
    )
    answers = [Answer(f"a{i}", f"t{i}", "e1@x.org", value[i], "borderline", NOON) for i in free.tolist()]
    answers += [
        Answer(f"a{reserved[i]}", f"t{reserved[i]}", "e1@x.org", value[reserved[i]], AUDIT, NOON, pi) for i, pi in drawn
    ]
    fields = {name: getattr(seen, name) for name in Snapshot.__dataclass_fields__}
    return Snapshot(**{**fields, "answers": tuple(answers), "design": design})


def probe_of(seen: Snapshot) -> Probe:
    probe = fit(seen.view.pool, seen.training, seen.attribute.classes, None, seen.learner, seen.seed)
    return round_figures.calibrated(seen, probe)


@pytest.mark.parametrize("classes", [("yes", "no"), ("a", "b", "c")])
def test_without_an_audit_answer_there_is_no_figure_and_a_reason(classes: tuple[str, ...]) -> None:
    seen = studio(0, classes)
    found = round_figures.measure(seen, probe_of(seen), None)
    assert found["average_precision"].value is None
    assert found["average_precision"].reason


@pytest.mark.parametrize("classes", [("yes", "no"), ("a", "b", "c")])
def test_before_any_answer_at_all_a_round_still_ends(classes: tuple[str, ...]) -> None:
    seen = studio(0, classes, training=0)
    assert round_figures.measure(seen, probe_of(seen), None)["average_precision"].value is None


def test_with_audits_the_probe_is_calibrated_and_measured_with_an_interval() -> None:
    seen = studio(40)
    probe = probe_of(seen)
    figure = round_figures.measure(seen, probe, None)["average_precision"]
    assert figure.value is not None
    assert figure.lo is not None
    assert figure.hi is not None
    assert figure.lo < figure.value < figure.hi
    assert figure.n == 40
    assert not figure.biased
    assert not np.allclose(probe.calibration_, [[1, 0]])


def test_audit_answers_never_train() -> None:
    seen = studio(40)
    audited = {answer.asset_id for answer in seen.answers if answer.purpose == AUDIT}
    assert audited
    assert not audited & set(seen.training.asset_ids)
    assert not {f"a{row}" for row in round_figures.reserved_rows(seen)} & set(seen.training.asset_ids)


def test_a_round_advises_from_the_first_answer_on(tmp_path: Path) -> None:
    settings = build({}, workspace=tmp_path)
    factories.newest(settings)
    for audits, training in ((0, 0), (0, 20), (40, 60)):
        seen = studio(audits, training=training)
        probe = probe_of(seen)
        said = stop_advice.advice(settings, seen, probe, round_figures.measure(seen, probe, None))
        assert said.advice
        assert said.state in {"labelling", "narrow", "settled", "exhausted", "outlier", "hopeless"}
        assert said.stop is False or training == 60


def test_an_audit_that_was_drawn_and_never_asked_is_asked_by_the_next_round() -> None:
    seen = studio(12)
    asked = {answer.asset_id for answer in seen.answers if answer.purpose == AUDIT}
    lost = sorted(asked)[:4]
    left = [answer for answer in seen.answers if answer.asset_id not in lost]
    rows = [(int(VIEW.pool.positions([a.asset_id])[0]), 1) for a in left]
    fields = {name: getattr(seen, name) for name in Snapshot.__dataclass_fields__}
    again = audit_questions.unasked_audits(Snapshot(**{**fields, "answers": left, "answer_rows": tuple(rows)}))
    assert sorted(ask.asset_id for ask in again) == lost
    assert all(ask.purpose == AUDIT and ask.inclusion == seen.design.inclusion(ask.asset_id) for ask in again)


def test_positives_found_by_the_audit_count_as_found(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = studio(40)
    found, remaining = stop_advice.positives_to_find(seen, probe_of(seen))
    assert found == seen.training.shares[:, 0].sum() + seen.audited.shares[:, 0].sum()
    assert remaining is not None
    monkeypatch.setattr(stop_advice, "AT_ONCE", 7)
    assert stop_advice.positives_to_find(seen, probe_of(seen))[1] == remaining, "in parts"


def test_a_goal_draws_the_line_from_audit_answers_and_its_figures_are_told_there() -> None:
    seen = studio(60)
    assert round_figures.thresholds(seen, probe_of(seen)) == []
    seen.attribute.settings["threshold"] = {"figure": "precision", "value": 0.7, "sure": 0.5}
    probe = probe_of(seen)
    (line,) = round_figures.thresholds(seen, probe)
    assert line.name == "yes"
    assert line.probability is not None
    cuts = round_figures.threshold_by_class([line], ["yes", "no"])
    assert cuts == {"yes": line.probability, "no": 1 - line.probability}
    told = round_figures.measure(seen, probe, None, cuts)["precision:yes"]
    assert told.value == pytest.approx(line.precision.value, abs=0.05)


def test_a_goal_waits_for_audit_answers_and_says_so() -> None:
    seen = studio(12, ("a", "b", "c"))
    seen.attribute.settings["threshold"] = {"figure": "recall", "value": 0.7}
    lines = round_figures.thresholds(seen, probe_of(seen))
    assert [line.name for line in lines] == ["a", "b", "c"]
    assert all("12 audit answers, at least 30" in line.reason for line in lines)
    assert round_figures.threshold_by_class(lines, ["a", "b", "c"]) == {"a": 0.5, "b": 0.5, "c": 0.5}


def test_where_experts_disagree_the_early_sign_still_waits_for_more_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = studio(0, training=30)
    ties = [replace(one, expert="e2@x.org", value="no" if one.value == "yes" else "yes") for one in seen.answers[:8]]
    seen = replace(seen, answers=(*seen.answers, *ties))
    told = round_figures.early_sign(seen, None)
    assert told.n == 22
    seen = replace(seen, last_run=Run(metrics={"cross_validated": told.to_dict()}, revision=seen.attribute.revision))
    monkeypatch.setattr(round_figures, "cross_validated", lambda *_, **__: pytest.fail("five more fits for no label"))
    assert round_figures.early_sign(seen, None) == told


@pytest.mark.parametrize(("n", "renewed"), [(191, False), (189, True)])
def test_of_many_labels_the_early_sign_waits_for_one_in_twenty(
    monkeypatch: pytest.MonkeyPatch, n: int, renewed: bool
) -> None:
    seen, decided = studio(0, training=30), np.ones(200, dtype=bool)
    kept = Metric("cross_validated_average_precision", 0.8, 0.7, 0.9, n, "by title", biased=True)
    fresh = replace(kept, n=200)
    seen = replace(seen, last_run=Run(metrics={"cross_validated": kept.to_dict()}, revision=seen.attribute.revision))
    seen.__dict__["training"] = Mock(decided=lambda: decided)
    monkeypatch.setattr(round_figures, "cross_validated", lambda *_, **__: fresh)
    assert round_figures.early_sign(seen, None) == (fresh if renewed else kept)
