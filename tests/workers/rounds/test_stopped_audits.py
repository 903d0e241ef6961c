"""Audits of a queue that an owner stops: the draw stays as it was, whoever answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.queues import stopping
from attune.labeler.records.schema import Attribute, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.evaluation.audit_design import AuditDesign, reserved_mask
from attune.models.labels.answers import AUDIT
from attune.models.vectors.vector_store import VectorStore
from attune.workers.rounds import audit_questions, snapshot
from attune.workers.rounds.queue_plan import assign_to_queues
from tests.support import factories

SEED, SHARE = 3, 0.4
ANA, BO = "ana@example.org", "bo@example.org"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Two experts; four audits are drawn, and wait in Ana's queue."""
    monkeypatch.setattr(stopping.ingest, "ask_to_learn", lambda *_: None)
    made = factories.workspace(tmp_path)
    attribute = factories.add_attribute(made)
    queues = [factories.add_queue(made, attribute, factories.add_expert(made, email)) for email in (ANA, BO)]
    fingerprint = Fingerprint("external", "vectors", "external:0", 40)
    assets = factories.add_assets(made, 40)
    held = reserved_mask([one.title_id for one in assets], SEED, SHARE)
    reserved = [one for one, is_held in zip(assets, held, strict=True) if is_held]
    design = AuditDesign(SEED)
    drawn = design.extend([one.asset_id for one in reserved], [one.title_id for one in reserved], None, 4)
    with writing(made) as session:
        activate(session, fingerprint)
        row = session.get_one(Attribute, attribute.id)
        row.settings = {"seed": SEED, "reserved_share": SHARE, "strategy": "attune"}
        row.audit_state = design.to_bytes()
    VectorStore(made.vectors).append(fingerprint, [one.asset_id for one in assets], np.eye(40, dtype=np.float32))
    for place, inclusion in drawn:
        factories.add_task(made, queues[0], reserved[place], AUDIT, inclusion=inclusion)
    return made


def audits(settings: Settings) -> dict[str, set[str]]:
    """The audits that the next round asks, by the expert who gets them."""
    seen = snapshot.take_snapshot(settings, "romance")
    asks = audit_questions.unasked_audits(seen)
    rounds: dict[str, set[str]] = {}
    for plan in assign_to_queues(seen, asks, 10):
        queue = next(one for one in seen.queues if one.id == plan.queue)
        rounds[seen.experts[queue.expert_id]] = {one.asset_id for one in plan.new}
    return rounds


def drawn(settings: Settings) -> dict[str, float | None]:
    """Each drawn image with the probability that it was drawn with."""
    seen = snapshot.take_snapshot(settings, "romance")
    rows = audit_questions.visible_audit_rows(seen)
    ids = seen.view.pool.asset_ids[rows]
    return {str(name): seen.design.inclusion(str(name)) for name in ids[seen.design.drawn(ids.tolist())]}


def test_the_others_are_asked_the_same_audits_and_the_draw_stays(settings: Settings) -> None:
    before = drawn(settings)
    assert audits(settings) == {ANA: set(), BO: set()}
    stopping.stop(settings, "romance", ANA)
    assert audits(settings) == {BO: set(before)}
    assert drawn(settings) == before


def test_whoever_is_started_again_alone_gets_the_same_audits(settings: Settings) -> None:
    """A stop is no way to other audits than those that one was to answer."""
    with writing(settings) as session:
        session.get_one(Queue, 2).closed_at = session.get_one(Queue, 2).created_at
    before = drawn(settings)
    stopping.stop(settings, "romance", ANA)
    assert audits(settings) == {}
    stopping.start(settings, "romance", ANA)
    assert audits(settings) == {ANA: set(before)}
    assert drawn(settings) == before


def test_those_that_others_got_meanwhile_stay_theirs(settings: Settings) -> None:
    stopping.stop(settings, "romance", ANA)
    with writing(settings) as session:
        for task in list(session.scalars(select(Task).where(Task.purpose == AUDIT)))[:3]:
            given = Task(queue_id=2, asset_pk=task.asset_pk, purpose=AUDIT, inclusion=task.inclusion, state="open")
            given.utility, given.reason, given.run, given.created_at = 1.0, "", 2, task.created_at
            session.add(given)
    with reading(settings) as session:
        theirs = set(session.scalars(select(Task.asset_pk).where(Task.queue_id == 2)))
    stopping.start(settings, "romance", ANA)
    left = set().union(*audits(settings).values())
    assert (len(theirs), len(left)) == (3, 1)
