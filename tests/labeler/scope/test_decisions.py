"""Decisions about groups: whose answers they become, what is stored once, what is refused and what is taken back."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from attune.labeler.labelling import take_chosen
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Attribute, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.scope import groups, undo_decisions
from attune.labeler.scope.decisions import Decision, Taken
from attune.labeler.scope.groups import Groups
from attune.labeler.scope.stored import ALL, NONE, SKIP, TICKED
from attune.models.clock import now
from attune.models.errors import AccessError, AlreadyThere, DataError, LabelStudioUnreachable
from tests.labeler.scope.scoping import OLGA, given, names, page, said, shown, take
from tests.support import factories
from tests.support.page_desk import PageDesk


def test_the_ticked_count_and_the_others_of_the_group_do_not(desk: PageDesk) -> None:
    assert take(desk, given(desk, TICKED, 13, 15)) == Taken("stored", 8)
    assert said(desk) == {"tender": names(desk, 13, 15), "other": names(desk, 12, 14, 16, 17, 18, 19)}


@pytest.mark.parametrize(("answer", "value"), [(ALL, "tender"), (NONE, "other")])
def test_all_or_none_needs_no_tick(desk: PageDesk, answer: str, value: str) -> None:
    take(desk, given(desk, answer))
    assert said(desk) == {value: names(desk, *range(12, 20))}


def test_a_skipped_group_gives_no_answer_and_goes(desk: PageDesk) -> None:
    take(desk, given(desk, SKIP))
    assert said(desk) == {}
    assert shown(page(desk)) == names(desk, *range(20, 28))
    assert page(desk).done == 0


def test_sent_twice_it_is_one_decision(desk: PageDesk) -> None:
    one = given(desk, ALL)
    assert take(desk, one) == take(desk, one) == Taken("stored", 8)
    assert page(desk).done == 1


def half_stored(desk: PageDesk, monkeypatch: pytest.MonkeyPatch) -> Decision:
    """A decision whose first side has its answers when Label Studio goes away."""
    one, real, calls = given(desk, TICKED, 13, 15), take_chosen._take, count(1)

    def flaky(*sent: Any) -> take_chosen.Outcome:
        if next(calls) == 2:
            raise LabelStudioUnreachable("away")
        return real(*sent)

    monkeypatch.setattr(take_chosen, "_take", flaky)
    with pytest.raises(LabelStudioUnreachable):
        take(desk, one)
    assert said(desk) == {"tender": names(desk, 13, 15)}
    return one


def test_a_decision_whose_answers_did_not_all_come_through_is_sent_again(
    desk: PageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = half_stored(desk, monkeypatch)
    (past,) = page(desk).past
    assert past.again == str(one.once)
    assert take(desk, Decision(one.once, "", [])) == Taken("stored", 8)
    assert said(desk) == {"tender": names(desk, 13, 15), "other": names(desk, 12, 14, 16, 17, 18, 19)}
    assert page(desk).past[0].again == ""


def test_a_decision_whose_answers_did_not_all_come_through_is_taken_back(
    desk: PageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = half_stored(desk, monkeypatch)
    assert undo_decisions.undo(desk.settings, desk.viewer, "tender", page(desk).past[0].key)
    assert said(desk) == {}
    with pytest.raises(AlreadyThere):
        take(desk, one)


def test_an_owner_without_a_queue_sets_the_definition_alone(desk: PageDesk) -> None:
    assert take(desk, given(desk, TICKED, 12), OLGA) == Taken("stored", 0)
    assert said(desk) == {}
    assert not page(desk, OLGA).labels


def test_nobody_else_decides(desk: PageDesk) -> None:
    stranger = factories.add_expert(desk.settings, "eve@desk.example")
    with pytest.raises(AccessError):
        page(desk, Viewer("expert", stranger.email, stranger.id, 9))
    with writing(desk.settings) as session:
        session.execute(update(Queue).where(Queue.expert_id == desk.ana.id).values(stopped_at=now()))
    with pytest.raises(AccessError):
        take(desk, given(desk, ALL))


@pytest.mark.parametrize(
    "wrong",
    [
        Decision(uuid4(), "maybe", ["a"]),
        Decision(uuid4(), ALL, []),
        Decision(uuid4(), TICKED, ["a", "b"]),
        Decision(uuid4(), TICKED, ["a"], ["b"]),
        Decision(uuid4(), ALL, [f"a{number}" for number in range(49)]),
    ],
)
def test_what_is_no_decision_stores_nothing(desk: PageDesk, wrong: Decision) -> None:
    with pytest.raises(DataError):
        take(desk, wrong)
    assert page(desk).done == 0


def test_a_decision_about_an_older_question_is_refused(desk: PageDesk) -> None:
    assert take(desk, given(desk, ALL), revision=3) == Taken("revised")
    assert said(desk) == {}


def test_of_three_classes_only_those_that_count_get_an_answer(desk: PageDesk) -> None:
    with writing(desk.settings) as session:
        session.get_one(Attribute, desk.attribute.id).classes = ["tender", "other", "neither"]
    assert take(desk, given(desk, TICKED, 12, 13)) == Taken("stored", 2)
    assert said(desk) == {"tender": names(desk, 12, 13)}
    assert take(desk, given(desk, NONE, first=20)) == Taken("stored", 0)


def test_a_decision_is_taken_back_with_its_answers_by_whoever_made_it(desk: PageDesk) -> None:
    take(desk, given(desk, TICKED, 13))
    (past,) = page(desk).past
    assert not undo_decisions.undo(desk.settings, OLGA, "tender", past.key)
    assert undo_decisions.undo(desk.settings, desk.viewer, "tender", past.key)
    assert said(desk) == {}
    assert page(desk).past == []
    assert not undo_decisions.undo(desk.settings, desk.viewer, "tender", past.key), "there is nothing left to undo"


def test_nobody_is_asked_about_a_group_again_or_about_what_waits_for_them(desk: PageDesk) -> None:
    waits = [desk.assets[place].id for place in range(8)]  # on Ana's page
    with reading(desk.settings) as session:
        kept = groups.load(session, desk.attribute)
    assert kept
    groups.save(desk.settings, desk.attribute.id, Groups(1, 1, 0, [waits, *kept.groups]))
    assert shown(page(desk)) == names(desk, *range(12, 20))
    assert shown(page(desk, OLGA)) == names(desk, *range(8)), "an owner has no queue that they could wait in"
    take(desk, given(desk, ALL, first=0), OLGA)
    take(desk, given(desk, ALL), OLGA)
    assert shown(page(desk)) == names(desk, *range(20, 28))


def test_experts_see_their_own_decisions_alone(desk: PageDesk) -> None:
    take(desk, given(desk, TICKED, 13), OLGA)
    take(desk, given(desk, ALL, first=20))
    assert [one.who for one in page(desk).past] == [desk.viewer.name]
    assert [one.who for one in page(desk, OLGA).past] == [desk.viewer.name, OLGA.name]
    assert (page(desk).waiting, page(desk, OLGA).waiting) == (0, 2)


def test_an_owner_who_labels_reads_no_decision_about_what_waits_for_them(desk: PageDesk) -> None:
    bo = Viewer("owner", desk.bo.email, desk.bo.id, 2)
    last = desk.assets[-8:]  # on Bo's page
    groups.save(desk.settings, desk.attribute.id, Groups(1, 1, 0, [[one.id for one in last]]))
    take(desk, given(desk, ALL, first=desk.assets.index(last[0])), OLGA)
    assert [len(one.counts) for one in page(desk, OLGA).past] == [6]
    assert [len(one.counts) for one in page(desk, bo).past] == [0]


def test_only_the_group_that_is_offered_now_is_decided(desk: PageDesk) -> None:
    """Forged, a skip would hide each group from everybody, and any image could become an example."""
    for first in (20, 30):
        with pytest.raises(AlreadyThere):
            take(desk, given(desk, ALL, first=first))
    mixed = Decision(uuid4(), SKIP, names(desk, 12, 20))
    with pytest.raises(AlreadyThere):
        take(desk, mixed)
    assert shown(page(desk)) == shown(page(desk, OLGA)) == names(desk, *range(12, 20))
    take(desk, given(desk, ALL))
    for viewer in (desk.viewer, OLGA):  # from a second tab, and by somebody else
        with pytest.raises(AlreadyThere):
            take(desk, given(desk, NONE), viewer)
    assert said(desk) == {"tender": names(desk, *range(12, 20))}
    assert len(page(desk, OLGA).past) == 1


def test_a_skip_hides_the_group_from_whoever_skipped_it_alone(desk: PageDesk) -> None:
    take(desk, given(desk, SKIP))
    assert shown(page(desk, OLGA)) == names(desk, *range(12, 20))


@pytest.mark.parametrize("role", ["owner", "expert"])
def test_a_stopped_queue_does_not_keep_answers_from_being_taken_back(desk: PageDesk, role: str) -> None:
    viewer = Viewer(role, desk.viewer.name, desk.viewer.expert_id, desk.viewer.user_id)
    take(desk, given(desk, ALL), viewer)
    key = page(desk, viewer).past[0].key
    with writing(desk.settings) as session:
        session.execute(update(Queue).where(Queue.expert_id == desk.ana.id).values(stopped_at=now()))
    assert undo_decisions.undo(desk.settings, viewer, "tender", key)
    assert said(desk) == {}


def test_an_undo_whose_answers_stay_says_so_and_keeps_the_decision(desk: PageDesk) -> None:
    owner = Viewer("owner", desk.viewer.name, desk.viewer.expert_id, desk.viewer.user_id)
    take(desk, given(desk, ALL), owner)
    key = page(desk, owner).past[0].key
    with writing(desk.settings) as session:
        session.execute(update(Queue).where(Queue.expert_id == desk.ana.id).values(closed_at=now()))
    assert not undo_decisions.undo(desk.settings, owner, "tender", key)
    assert [one.key for one in page(desk, owner).past] == [key]
