"""Candidates that may pass the gates: found cheaply here, judged by a worker, as judging reads vectors."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog import gates
from attune.labeler.notices import notices
from attune.labeler.notices.notices import News
from attune.labeler.notices.rules import newest_runs
from attune.labeler.records.schema import Alias, Attribute, Notice, Promotion, Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import CHAMPION

LEAST_ANSWERS = 30  # audit answers below which no gate that counts them passes, whatever its bound


def candidates_to_judge(settings: Settings) -> list[str]:
    """Attributes whose newest run is no champion, has an audited figure, and was not told of yet."""
    with reading(settings) as session:
        candidates = [
            (attribute, run, _champion(session, attribute))
            for attribute, run in newest_runs(session)
            if not _is_judged(session, attribute, run)
        ]
        known_keys = set(
            session.scalars(
                select(Notice.key).where(
                    Notice.key.in_([_key(attribute, champion) for attribute, _, champion in candidates])
                )
            )
        )
    return [
        attribute.name
        for attribute, run, champion in candidates
        if run.number != champion and _key(attribute, champion) not in known_keys and _audited(run)
    ]


def judge(settings: Settings, name: str) -> int:
    """Tell those who manage when the newest run passes every gate; how many notices that made, 0 or 1."""
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        champion = _champion(session, attribute)
        run = session.scalar(select(Run).where(Run.attribute_id == attribute.id).order_by(Run.number.desc()).limit(1))
        if run is None or run.number == champion or _is_judged(session, attribute, run):
            return 0
    results = gates.check(settings, name, run)
    if any(gate.passed is False for gate in results) or not any(gate.passed for gate in results):
        return 0
    passed, judged = sum(bool(gate.passed) for gate in results), sum(gate.applies for gate in results)
    beside = f" (in use: version {champion})" if champion else ""
    return notices.record_news(
        settings,
        [
            News(
                _key(attribute, champion), notices.GATE, f"{name}: new version {run.number} passes the gates",
                f"{passed} of {judged} gates passed and none failed{beside}. Review it, then put it into use.",
                f"/attributes/{name}/review?candidate={run.number}", attribute.id,
            )
        ],
    )  # fmt: skip


def _key(attribute: Attribute, champion: int | None) -> str:
    """Once for each champion that there is to beat: each further run would be the same news."""
    return f"gates:{attribute.id}:{attribute.revision}:{champion or 0}"


def _is_judged(session: Session, attribute: Attribute, run: Run) -> bool:
    """Whether someone moved the champion when the run was there already: who chose another needs no advice."""
    moved = select(func.max(Promotion.at)).where(Promotion.attribute_id == attribute.id, Promotion.alias == CHAMPION)
    last = session.scalar(moved)
    return last is not None and last >= run.finished_at


def _audited(run: Run) -> bool:
    figure = run.metrics.get("average_precision") or {}
    return figure.get("value") is not None and (figure.get("n") or 0) >= LEAST_ANSWERS


def _champion(session: Session, attribute: Attribute) -> int | None:
    return session.scalar(select(Alias.version).where(Alias.attribute_id == attribute.id, Alias.alias == CHAMPION))
