"""Images chosen before anyone is asked: more than a queue takes never stop a round, and no owner's change is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import ingest
from attune.labeler.attributes import attributes, threshold_goals
from attune.labeler.queues import chosen_first, pinned
from attune.labeler.queues.chosen_first import Kept
from attune.labeler.records.schema import Asset, Attribute, Expert, Pick, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import RecordsError
from attune.models.probes.thresholds import Goal
from tests.support import factories


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return factories.workspace(tmp_path)


@pytest.fixture
def dread(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Attribute:
    """A question that ana and bo answer; at most three images of one's own choice wait."""
    monkeypatch.setattr(pinned, "MOST_OWN", 3)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    made = factories.add_attribute(settings, "dread")
    for name in ("ana", "bo"):
        factories.add_queue(settings, made, factories.add_expert(settings, f"{name}@example.org"))
    return made


def waiting(settings: Settings) -> Kept | None:
    with reading(settings) as session:
        return Kept.of(attributes.find(session, "dread"))


def sent(settings: Settings, name: str) -> int:
    with reading(settings) as session:
        rows = select(func.count(Pick.id)).join(Expert, Expert.id == Pick.expert_id)
        return session.scalar(rows.where(Expert.email == f"{name}@example.org")) or 0


def test_more_of_ones_own_than_may_wait_come_later_and_fail_no_round(settings: Settings, dread: Attribute) -> None:
    names = [asset.asset_id for asset in factories.add_assets(settings, 5)]
    ana = "ana@example.org"
    pinned.send(settings, "dread", names[:1], ana, ana)  # one waits before the first round
    chosen_first.keep(settings, "dread", Kept(names, ana))
    for _ in range(2):
        chosen_first.hand_out(settings, "dread")
        assert (sent(settings, "ana"), sent(settings, "bo")) == (3, 5)
    assert waiting(settings) == Kept(names, ana, [ana])
    answer_all(settings, dread, ana)
    chosen_first.hand_out(settings, "dread")
    assert (sent(settings, "ana"), waiting(settings)) == (5, None)


def answer_all(settings: Settings, attribute: Attribute, email: str) -> None:
    with reading(settings) as session:
        person = session.scalars(select(Expert).where(Expert.email == email)).one()
        rows = select(Asset).join(Pick, Pick.asset_pk == Asset.id).where(Pick.expert_id == person.id)
        assets = list(session.scalars(rows))
        mine = Queue.attribute_id == attribute.id, Queue.expert_id == person.id
        queue = session.scalars(select(Queue).where(*mine)).one()
    for asset in assets:
        factories.add_answer(settings, queue, asset, "romance")


def test_a_queue_that_was_stopped_meanwhile_does_not_stop_the_others(
    settings: Settings, dread: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    (asset,) = factories.add_assets(settings, 1)
    chosen_first.keep(settings, "dread", Kept([asset.asset_id], "olga@example.org"))
    send = pinned.send

    def stopped(*arguments: Any) -> Any:
        if arguments[-1] == "ana@example.org":
            raise RecordsError("ana's queue was stopped")
        return send(*arguments)

    monkeypatch.setattr(pinned, "send", stopped)
    chosen_first.hand_out(settings, "dread")
    assert (sent(settings, "ana"), sent(settings, "bo")) == (0, 1)
    assert waiting(settings) == Kept([asset.asset_id], "olga@example.org", ["ana@example.org"])


def test_what_an_owner_changes_while_images_are_handed_out_stays(
    settings: Settings, dread: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (asset.asset_id for asset in factories.add_assets(settings, 2))
    chosen_first.keep(settings, "dread", Kept([first], "olga@example.org", ["ana@example.org"]))
    later = Kept([second], "olga@example.org", ["bo@example.org"])
    send = pinned.send

    def meanwhile(*arguments: Any) -> Any:
        threshold_goals.set_goal(settings, "dread", Goal("precision", 0.9))
        chosen_first.keep(settings, "dread", later)
        return send(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(pinned, "send", meanwhile)
        chosen_first.hand_out(settings, "dread")
    assert waiting(settings) == later
    with reading(settings) as session:
        assert threshold_goals.goal_of(attributes.find(session, "dread")) == Goal("precision", 0.9)


def test_the_settings_are_written_under_a_lock(settings: Settings, dread: Attribute) -> None:
    """SQLite has one writer; PostgreSQL needs the row's lock, or an owner's change between read and write is lost."""
    locked = []

    def seen(state: Any) -> None:
        if state.is_select and getattr(state.statement, "_for_update_arg", None) is not None:
            locked.append("attributes" in str(state.statement))

    event.listen(Session, "do_orm_execute", seen)
    try:
        chosen_first.keep(settings, "dread", Kept(["x"], "olga@example.org"))
    finally:
        event.remove(Session, "do_orm_execute", seen)
    assert locked
