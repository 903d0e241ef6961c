"""A check of a measured feature as experts answer it: asked, drawn by a round, and answered with what is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from attune.labeler.attributes import attributes, audit_batches
from attune.labeler.measured import checks
from attune.labeler.records.schema import Annotation, Asset, Expert
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.labels.answers import AUDIT
from attune.models.measured.eye_checks import EyeCheck
from attune.workers.rounds import audit_questions
from attune.workers.rounds.snapshot import take_snapshot
from tests.support import factories


def asked(settings: Settings, check: EyeCheck) -> str:
    """The question of ``check``, with a queue of Ana's; made without Label Studio."""
    name, _ = checks._question(settings, check)
    expert = factories.add_expert(settings, "ana@example.org")
    with reading(settings) as session:
        attribute = attributes.find(session, name)
    factories.add_queue(settings, attribute, expert)
    return name


def drawn(settings: Settings, name: str, size: int) -> list[str]:
    """The images that a round draws, with the design kept as the round keeps it."""
    audit_batches.request(settings, name, size)
    snapshot = take_snapshot(settings, name)
    pace = audit_questions.pace(snapshot, "labelling", None)
    found = audit_questions.plan_audits(snapshot, None, pace)  # type: ignore[arg-type]  # the probe is not looked at
    with writing(settings) as session:
        attributes.find(session, name).audit_state = snapshot.design.to_bytes()
    return [ask.asset_id for ask in found.asks]


def answered(settings: Settings, name: str, ids: Sequence[str], truth: Mapping[str, str]) -> None:
    """Ana says what is true of ``ids``."""
    with writing(settings) as session:
        attribute = attributes.find(session, name)
        ana = session.scalars(select(Expert)).one()
        keys = dict(session.execute(select(Asset.asset_id, Asset.id)).all())
        for id_ in ids:
            session.add(Annotation(
                attribute_id=attribute.id, revision=1, asset_pk=keys[id_], expert_id=ana.id, purpose=AUDIT,
                value=truth[id_], answered_at=now(), updated_at=now(), received_at=now(),
            ))  # fmt: skip
