"""Gates: what a version should pass before it is promoted, each with its value and its bound.

By default they are shown and kept in the history. An attribute's setting ``gates`` moves bounds and makes gates
binding: ``{"audit_lower_bound": {"bound": 0.5, "enforced": true}}``; an owner may override with a written reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from labeler import attributes
from labeler.catalog.paired import difference
from labeler.pool import active_encoder
from labeler.records.schema import Alias, Run
from labeler.records.session import reading
from labeler.settings import Settings
from models.errors import GateFailed
from models.manifest import CHAMPION

# name -> (bound, what it asks). Lower bounds, except where the text says "at most".
BOUNDS: dict[str, tuple[float, str]] = {
    "audit_answers": (30, "audit answers behind the average precision, at least"),
    "audit_lower_bound": (0.5, "lower end of the audit's average precision, at least"),
    "not_worse_than_champion": (0.0, "upper end of the paired difference to the champion, at least"),
    "calibration": (0.1, "calibration error on audit answers, at most"),
    "agreement": (0.4, "experts' agreement (Krippendorff's alpha), at least"),
    "encoder": (1, "made with the active encoder: 1 is yes"),
}
_AT_MOST = {"calibration"}


@dataclass(frozen=True)
class Gate:
    """One gate's outcome; ``passed`` is None where the value is not known."""

    name: str
    passed: bool | None
    value: float | None
    bound: float
    enforced: bool
    text: str


def check(settings: Settings, attribute: str, run: Run) -> list[Gate]:
    """Every gate for ``run`` against today's champion. Raises UnknownAttribute."""
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        encoder = active_encoder(session)
        champion = session.scalar(
            select(Run)
            .join(Alias, Alias.version == Run.number)
            .where(Run.attribute_id == found.id, Alias.attribute_id == found.id, Alias.alias == CHAMPION)
        )
    values = measured(run)
    values["encoder"] = None if encoder is None else float(encoder.digest == run.encoder_digest)
    values["not_worse_than_champion"] = None
    if champion is not None:
        itself = champion.id == run.id
        values["not_worse_than_champion"] = 0.0 if itself else difference(settings, attribute, run, champion).hi
    return judge(values, found.settings.get("gates") or {}, first=champion is None)


def measured(run: Run) -> dict[str, float | None]:
    """The values that the run itself carries."""
    quality = run.metrics.get("average_precision") or {}
    return {
        "audit_answers": quality.get("n", 0),
        "audit_lower_bound": quality.get("lo"),
        "calibration": (run.metrics.get("calibration_error") or {}).get("value"),
        "agreement": (run.metrics.get("alpha") or {}).get("value"),
    }


def judge(
    values: Mapping[str, float | None], chosen: Mapping[str, Mapping[str, Any]], first: bool = False
) -> list[Gate]:
    """Each gate by its value and the attribute's own bounds; without a champion nothing can be worse than it."""
    gates = []
    for name, (default, text) in BOUNDS.items():
        own = chosen.get(name) or {}
        value, bound = values.get(name), float(own.get("bound", default))
        passed: bool | None = None
        if value is not None:
            passed = value <= bound if name in _AT_MOST else value >= bound
        elif name == "not_worse_than_champion" and first:
            passed = True
        gates.append(Gate(name, passed, value, bound, bool(own.get("enforced", False)), text))
    return gates


def refuse(gates: Sequence[Gate], attribute: str, version: int, override: bool) -> None:
    """Raise GateFailed where an enforced gate was not passed and nobody overrides it."""
    failed = [gate for gate in gates if gate.enforced and not gate.passed]
    if failed and not override:
        told = "; ".join(f"{gate.name}: {_shown(gate.value)}, bound {gate.bound:g} ({gate.text})" for gate in failed)
        raise GateFailed(
            f"{attribute} version {version} does not pass {told}. Answer more audit images, or promote it with "
            "--override and say why in --reason."
        )


def _shown(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"
