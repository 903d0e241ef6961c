"""Each expert beside the newest probe on the audit, and what the audit says without the one who answers otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.answers import latest
from models.contradicted import Odd, beside_probe, odd_one
from models.evaluation import evaluate_audit
from models.metrics import Metric
from models.probe import Probe
from workers import figures
from workers.snapshot import Snapshot

KEY = "beside_probe"  # of a run's advice


def told(snapshot: Snapshot, probe: Probe) -> tuple[dict[str, Any], Odd | None]:
    """Plain JSON values: ``told``, each expert beside the probe; ``odd``, the one who differs; and ``without``, the
    average precision on everybody else's audit answers.

    A calibrated probe. None of it teaches anything: audit answers stay apart from training.
    """
    classes = list(snapshot.attribute.classes)
    audits, _ = figures.audit_answers(snapshot)
    places = snapshot.view.pool.positions(audits.asset_ids)
    predicted = (
        figures.probabilities(probe, figures.logits(snapshot, probe, places)).argmax(axis=1) if len(audits) else []
    )
    says = {asset: classes[row] for asset, row in zip(audits.asset_ids, predicted, strict=True)}
    measuring = [one for one in latest(snapshot.design.measuring(snapshot.answers)) if one.value in classes]
    found = beside_probe((one.expert, one.value == says[one.asset_id]) for one in measuring if one.asset_id in says)
    odd = odd_one(found)
    kept: dict[str, Any] = {"told": [{"expert": one.expert, "agrees": one.agrees.to_dict()} for one in found]}
    if odd is not None:
        kept |= {"odd": odd.expert, "without": without(snapshot, probe, odd.expert).to_dict()}
    return kept, odd


def without(snapshot: Snapshot, probe: Probe, expert: str) -> Metric:
    """The average precision of ``probe`` on the audit answers of all but ``expert``.

    Who is asked an audit does not depend on the image, so the others' audits are a draw from the same titles.
    """
    rest = replace(snapshot, answers=tuple(one for one in snapshot.answers if one.expert != expert))
    audited, inclusion = figures.audit_answers(rest)
    raw = figures.logits(rest, probe, rest.view.pool.positions(audited.asset_ids))
    pool = figures.probabilities(probe, figures.logits(rest, probe, figures.reserved_rows(rest)))
    found = evaluate_audit(
        audited, figures.probabilities(probe, raw), inclusion, rest.attribute.classes,
        pool=pool if len(audited) else None, seed=rest.seed,
    )  # fmt: skip
    return found["average_precision"]
