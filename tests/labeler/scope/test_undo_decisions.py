"""An undo that was killed between the decision and its answers is finished later, on every database."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from attune.labeler.records.schema import Attribute, Queue, ScopeDecision
from attune.labeler.records.session import reading, writing
from attune.labeler.scope import definition, undo_decisions
from attune.labeler.scope.decisions import Taken
from attune.labeler.scope.stored import ALL, NONE, TICKED
from attune.models.clock import now
from attune.models.errors import AlreadyThere
from tests.labeler.scope.scoping import OLGA, given, names, page, said, shown, take
from tests.support import databases
from tests.support.page_desk import PageDesk


def killed(desk: PageDesk, later: bool = True) -> None:
    """Decide, and be killed while the answers of the decision are taken back; ``later``: that was a while ago."""
    take(desk, given(desk, ALL))
    key = page(desk).past[0].key
    if not (child := os.fork()):
        undo_decisions._answers_taken_back = lambda *_: os._exit(9)
        try:
            undo_decisions.undo(desk.settings, desk.viewer, "tender", key)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert page(desk).past == [], "nobody adds it to the definition"
    assert said(desk) == {"tender": names(desk, *range(12, 20))}
    if later:
        with writing(desk.settings) as session:
            session.execute(update(ScopeDecision).values(undoing_at=now() - timedelta(minutes=3)))


@pytest.mark.parametrize("desk", databases.BOTH, indirect=True)
def test_after_a_kill_the_answers_are_taken_back_too(desk: PageDesk) -> None:
    killed(desk)
    assert undo_decisions.finish_undos(desk.settings) == 1
    assert said(desk) == {}
    assert page(desk).past == []
    assert undo_decisions.finish_undos(desk.settings) == 0
    assert shown(page(desk)) == names(desk, *range(12, 20)), "the group is offered again"


def test_an_undo_that_may_still_be_at_work_is_left_alone(desk: PageDesk) -> None:
    killed(desk, later=False)
    assert undo_decisions.finish_undos(desk.settings) == 0
    assert said(desk) != {}


def test_while_label_studio_is_away_it_is_tried_again(desk: PageDesk) -> None:
    killed(desk)
    desk.store.away = True
    assert undo_decisions.finish_undos(desk.settings) == 0
    desk.store.away = False
    assert undo_decisions.finish_undos(desk.settings) == 1
    assert said(desk) == {}


def test_where_answers_cannot_be_taken_back_the_decision_holds_again(desk: PageDesk) -> None:
    killed(desk)
    with writing(desk.settings) as session:
        session.execute(update(Queue).where(Queue.expert_id == desk.ana.id).values(closed_at=now()))
    assert undo_decisions.finish_undos(desk.settings) == 1
    with reading(desk.settings) as session:
        row = session.scalars(select(ScopeDecision)).one()
    assert (row.undone_at, row.undoing_at) == (None, None)


@pytest.mark.parametrize("desk", databases.BOTH, indirect=True)
def test_from_decisions_to_a_revision_on_every_database(desk: PageDesk) -> None:
    assert take(desk, given(desk, TICKED, 13, 15)) == Taken("stored", 8)
    with pytest.raises(AlreadyThere):
        take(desk, given(desk, NONE), OLGA)
    take(desk, given(desk, NONE, first=20), OLGA)
    key = page(desk).past[0].key
    assert undo_decisions.undo(desk.settings, desk.viewer, "tender", key)
    assert said(desk) == {}
    assert take(desk, given(desk, ALL)) == Taken("stored", 8)
    assert definition.write(desk.settings, "tender", 1) == 2
    with reading(desk.settings) as session:
        one = session.get_one(Attribute, desk.attribute.id)
        assert (one.in_scope, one.out_of_scope) == (names(desk, 12, 13), names(desk, 20, 21))
    assert page(desk, OLGA).group == [], "the groups were of the question of before"
