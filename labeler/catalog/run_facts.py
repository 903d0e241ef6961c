"""What the records know of a run, as the manifest of the version it would become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Attribute, AttributeRevision, Encoder, Run, Version
from attune.models.catalog.manifest import EXPERT_WEIGHTS, Manifest
from attune.models.errors import UnknownProbe
from attune.models.labels.class_coverage import draft_classes

LATEST = "latest"
MOST = 10**9  # as in addresses: a version has at most nine digits


def find_run(session: Session, attribute: Attribute, version: str | int) -> Run:
    """The run with the number ``version``, or the newest for ``latest``. Raises UnknownProbe with those there are."""
    newest = session.scalar(select(func.max(Run.number)).where(Run.attribute_id == attribute.id))
    if newest is None:
        raise UnknownProbe(
            f"{attribute.name} has no run yet, so there is nothing to promote. Answer its first images, or run: "
            f"`attune learn {attribute.name}`"
        )
    number = newest if version == LATEST else _number(version)
    run = session.scalar(select(Run).where(Run.attribute_id == attribute.id, Run.number == number))
    if run is None:
        raise UnknownProbe(
            f"{attribute.name} has no version {version}. Its runs are 1 to {newest}; `{LATEST}` names the last. "
            f"To list the newest: `attune probes list {attribute.name}`"
        )
    return run


def find_version(session: Session, attribute: Attribute, version: str | int) -> Version:
    """The published version. Raises UnknownProbe where it is none, or only a run so far."""
    number = find_run(session, attribute, version).number
    row = session.scalar(select(Version).where(Version.attribute_id == attribute.id, Version.version == number))
    if row is None:
        raise UnknownProbe(
            f"{attribute.name} version {number} is a candidate and is not published. Publish it: `attune probes "
            f"promote {attribute.name} {number} --reason R`"
        )
    return row


def _number(version: str | int) -> int:
    try:
        number = int(version)
    except ValueError:
        number = 0
    if not 1 <= number < MOST:
        raise UnknownProbe(f"{str(version)[:40]!r} is not a version. Expected a whole number, or {LATEST!r}.")
    return number


def facts_of(session: Session, attribute: Attribute, run: Run) -> Manifest:
    """The manifest of ``run``, without files. It holds only what the run fixed, so it is the same whenever it is asked.

    Raises UnknownProbe where the records hold no encoder of the run's digest.
    """
    encoder = session.scalar(select(Encoder).where(Encoder.digest == run.encoder_digest))
    if encoder is None:
        raise UnknownProbe(
            f"The encoder {run.encoder_digest[:12]}… of {attribute.name} version {run.number} does not exist in "
            f"the records. Train again with the active encoder: `attune learn {attribute.name}`"
        )
    content = _content(session, attribute, run.revision)
    classes = tuple(content["classes"])
    labels = labels_of(run)
    return Manifest(
        attribute=attribute.name,
        revision=run.revision,
        question=content["question"],
        definition=content.get("definition") or "",
        classes=classes,
        version=run.number,
        encoder=encoder.fingerprint,
        thresholds=thresholds_of(run, classes),
        metrics=run.metrics,
        labels=labels,
        data_digest=run.data_digest,
        files={},
        created_at=run.finished_at,
        code_version=run.code_version,
        draft=bool(draft_classes(classes, labels)),
    )


def classes_of(session: Session, attribute: Attribute, run: Run) -> tuple[str, ...]:
    """The classes as they were called when ``run`` was made, which its counts name."""
    return tuple(_content(session, attribute, run.revision)["classes"])


def thresholds_of(run: Run, classes: Sequence[str]) -> dict[str, float]:
    """The probability per class from which on the run says yes."""
    found = RunAdvice.from_dict(run.advice).thresholds
    return dict(found) if found else dict.fromkeys(classes, 0.5)


def labels_of(run: Run) -> dict[str, Any]:
    """The run's counts for the world outside: experts as their number, never their addresses."""
    labels = dict(run.labels)
    experts = labels.get("experts")
    if isinstance(experts, dict | list):
        labels["experts"] = len(experts)
    if weights := labels.pop(EXPERT_WEIGHTS, {}):
        everybody = {*weights, *(experts if isinstance(experts, dict) else ())}
        labels[EXPERT_WEIGHTS] = sorted(weights.get(expert, 1.0) for expert in everybody)
    labels.setdefault("answers", run.answers)
    labels.setdefault("agreement", (run.metrics.get("alpha") or {}).get("value"))
    return labels


def _content(session: Session, attribute: Attribute, revision: int) -> dict[str, Any]:
    content = session.scalar(
        select(AttributeRevision.content).where(
            AttributeRevision.attribute_id == attribute.id, AttributeRevision.revision == revision
        )
    )
    now = {"question": attribute.question, "definition": attribute.definition, "classes": attribute.classes}
    return now | (content or {})
