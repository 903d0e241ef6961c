"""Answers as experts would have left them: three of four experts on each image, some unsure, some skipped, some wrong.

A tenth are audit answers on titles that the question reserves, drawn as the learner draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert, select, update

from attune.labeler.assets.active_pool import open_pool
from attune.labeler.attributes import attributes
from attune.labeler.records.schema import Annotation, AnnotationEvent, Asset, Attribute, Queue, Task, new_key
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.audit_titles import pool_reserved_mask
from benchmarks.pool_size.pool import CLASSES, EXPERTS, QUESTION, Truth

EACH, AUDIT_EACH, AUDITS = 3, 2, 0.1  # experts on an image, on an audit image; the share of audit answers
OPEN, POSITIVE = 40, 0.2
WRONG, UNSURE, SKIP = 0.08, 0.03, 0.02
APART = timedelta(seconds=4)
AT_ONCE = 10_000


def give(settings: Settings, truth: Truth, answers: int) -> None:
    """Write ``answers`` answers, their tasks and history, and open tasks in each queue."""
    rng = np.random.default_rng(7)
    with reading(settings) as session:
        attribute = attributes.find(session, QUESTION)
        view = open_pool(settings, session)
        queues = list(session.scalars(select(Queue.id).order_by(Queue.id)))
    seed, share = int(attribute.settings["seed"]), float(attribute.settings["reserved_share"])
    reserved = pool_reserved_mask(view.pool, np.arange(len(view.pool)), share, seed)
    audits = int(answers * AUDITS) // AUDIT_EACH
    train = (answers - audits * AUDIT_EACH) // EACH
    some = rng.permutation(np.flatnonzero(~reserved))
    asked = rng.permutation(some[: train + OPEN * len(queues)])
    apart = np.flatnonzero(reserved)
    design = AuditDesign(seed)
    ids, titles = view.pool.asset_ids[apart].tolist(), view.pool.title_ids[apart].tolist()
    drawn = design.extend(ids, titles, None, audits)
    said = _of_experts(rng, asked[:train], EACH, "borderline", [None] * train)
    said += _of_experts(rng, apart[[row for row, _ in drawn]], AUDIT_EACH, "audit", [one for _, one in drawn])
    order = rng.permutation(len(said))
    began = now() - timedelta(days=2) - APART * len(said)
    positive = truth > np.quantile(truth, 1 - POSITIVE)
    rows = [_answer(rng, positive, place + 1, said[one], began + APART * place) for place, one in enumerate(order)]
    _write(settings, rows, queues)
    _wait(settings, asked[train:], queues)
    with writing(settings) as session:
        values = {"audit_state": design.to_bytes(), "answers_counter": len(rows)}
        session.execute(update(Attribute).where(Attribute.id == attribute.id).values(**values))


Asked = tuple[int, int, str, float | None]  # row of the pool, expert from 0, purpose, inclusion


def _of_experts(
    rng: np.random.Generator, rows: npt.NDArray[np.intp], each: int, purpose: str, inclusion: Sequence[float | None]
) -> list[Asked]:
    return [
        (int(row), int(expert), purpose, chance)
        for row, chance in zip(rows, inclusion, strict=True)
        for expert in rng.permutation(len(EXPERTS))[:each]
    ]


def _answer(
    rng: np.random.Generator, positive: npt.NDArray[np.bool_], key: int, asked: Asked, at: datetime
) -> dict[str, Any]:
    row, expert, purpose, inclusion = asked
    said, luck = bool(positive[row]) != bool(rng.random() < WRONG), rng.random()
    value = "unsure" if luck < UNSURE else "skip" if luck < UNSURE + SKIP else CLASSES[0 if said else 1]
    return {
        "id": key, "label_studio_id": key, "attribute_id": 1, "revision": 1, "task_id": key, "label_studio_task": key,
        "asset_pk": row + 1, "expert_id": expert + 1, "value": value, "purpose": purpose, "inclusion": inclusion,
        "lead_seconds": float(rng.gamma(2.0, 1.5)) + 0.5, "answered_at": at, "updated_at": at, "received_at": at,
    }  # fmt: skip


def _write(settings: Settings, rows: list[dict[str, Any]], queues: Sequence[int]) -> None:
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        tasks = [_task(row, queues[row["expert_id"] - 1]) for row in some]
        events = [
            {"annotation_id": row["id"], "kind": "created", "via": "sync"}
            | {key: row[key] for key in ("value", "updated_at", "received_at")}
            for row in some
        ]
        with writing(settings) as session:
            session.execute(insert(Task), tasks)
            session.execute(insert(Annotation), some)
            session.execute(insert(AnnotationEvent), events)


def _task(row: dict[str, Any], queue: int) -> dict[str, Any]:
    return {
        "id": row["id"], "queue_id": queue, "asset_pk": row["asset_pk"], "key": new_key(),
        "label_studio_task": row["id"], "purpose": row["purpose"], "utility": 0.5, "reason": "Nobody is sure.",
        "inclusion": row["inclusion"], "run": 1, "state": "answered", "created_at": row["answered_at"],
    }  # fmt: skip


def _wait(settings: Settings, rows: npt.NDArray[np.intp], queues: Sequence[int]) -> None:
    tasks = [
        {
            "queue_id": queues[place % len(queues)], "asset_pk": int(row) + 1, "key": new_key(), "purpose": "likely",
            "utility": 0.4, "reason": "It looks likely.", "run": 1, "position": place, "state": "open",
            "created_at": now(),
        }
        for place, row in enumerate(rows)
    ]  # fmt: skip
    with writing(settings) as session:
        session.execute(insert(Task), tasks)


def one_more(settings: Settings) -> None:
    """Ana answers one more image: what every figure of the question depends on has changed."""
    with writing(settings) as session:
        asked = select(Task.asset_pk).where(Task.queue_id == 1)
        key, at = session.scalar(select(Asset.id).where(Asset.id.not_in(asked)).limit(1)), now()
        task = Task(
            queue_id=1, asset_pk=key, purpose="spread", utility=0.5, reason="It is like no other.", run=1,
            state="answered", created_at=at,
        )  # fmt: skip
        session.add(task)
        session.flush()
        session.get_one(Attribute, 1).answers_counter += 1
        held = {"value": CLASSES[1], "updated_at": at, "received_at": at}
        row = Annotation(
            attribute_id=1, revision=1, task_id=task.id, asset_pk=key, expert_id=1, purpose=task.purpose,
            lead_seconds=2.0, answered_at=at, **held,
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(AnnotationEvent(annotation_id=row.id, kind="created", via="sync", **held))
