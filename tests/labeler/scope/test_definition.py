"""What the definition gets of the decisions about groups, and what it does not get."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from attune.labeler.attributes import revise_attribute
from attune.labeler.attributes.revise_attribute import definition_of
from attune.labeler.cli.main import attune
from attune.labeler.records.schema import Attribute, Expert, ScopeDecision
from attune.labeler.records.session import reading, writing
from attune.labeler.scope import definition, undo_decisions
from attune.labeler.scope.listed import listed
from attune.labeler.scope.stored import ALL, NONE, SKIP, TICKED
from attune.models.clock import now
from attune.models.errors import AlreadyThere, DataError
from tests.labeler.scope.scoping import OLGA, given, names, page, said, shown, take
from tests.support import factories
from tests.support.page_desk import PageDesk


def test_the_definition_gets_the_pictures_of_both_sides_and_no_answer_ends(desk: PageDesk) -> None:
    take(desk, given(desk, TICKED, 13, 15, 16, note="  Two hands  touch"))
    take(desk, given(desk, NONE, first=20, note="A posed group"), OLGA)
    before = said(desk)
    assert definition.write(desk.settings, "tender", 1) == 2
    with reading(desk.settings) as session:
        one = session.get_one(Attribute, desk.attribute.id)
        assert one.in_scope == [*names(desk, 13, 15), "Two hands touch"]
        assert one.out_of_scope == [*names(desk, 12, 14, 20, 21), "A posed group"]
        assert [row.written for row in session.scalars(select(ScopeDecision))] == [2, 2]
    assert said(desk) == before
    with pytest.raises(DataError, match="No decision waits"):
        definition.write(desk.settings, "tender", 2)


def test_an_example_that_a_later_decision_moves_is_on_one_side_alone(desk: PageDesk) -> None:
    with writing(desk.settings) as session:
        session.get_one(Attribute, desk.attribute.id).in_scope = ["A kiss", *names(desk, 12)]
    take(desk, given(desk, NONE), OLGA)
    definition.write(desk.settings, "tender", 1)
    with reading(desk.settings) as session:
        one = session.get_one(Attribute, desk.attribute.id)
    assert (one.in_scope, one.out_of_scope) == (["A kiss"], names(desk, 12, 13))


def test_a_revision_made_in_the_meantime_is_not_overwritten(desk: PageDesk) -> None:
    take(desk, given(desk, ALL), OLGA)
    with reading(desk.settings) as session:
        old = definition_of(session.get_one(Attribute, desk.attribute.id))
    revise_attribute.revise(desk.settings, replace(old, definition="Anew."), "Clearer")
    with pytest.raises(AlreadyThere):
        definition.write(desk.settings, "tender", 1)
    (past,) = page(desk, OLGA).past
    assert (past.earlier, past.waits, page(desk, OLGA).waiting) == (1, False, 0)
    assert page(desk, OLGA).group == [], "the groups were of the question of before"


def test_a_decision_of_before_other_classes_is_no_example_of_the_new_ones(desk: PageDesk) -> None:
    take(desk, given(desk, TICKED, 12), OLGA)
    with reading(desk.settings) as session:
        old = definition_of(session.get_one(Attribute, desk.attribute.id))
    revise_attribute.revise(desk.settings, replace(old, classes=old.classes[::-1]), "The other way round")
    with pytest.raises(DataError, match="No decision waits"):
        definition.write(desk.settings, "tender", 2)
    assert page(desk, OLGA).done == 0


def test_what_is_taken_back_while_a_revision_is_made_is_not_in_it(
    desk: PageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(desk, given(desk, TICKED, 12))
    key, real = page(desk).past[0].key, revise_attribute.revise

    def late(*given: Any, **more: Any) -> revise_attribute.Revised:
        assert undo_decisions.undo(desk.settings, desk.viewer, "tender", key)
        return real(*given, **more)

    monkeypatch.setattr(revise_attribute, "revise", late)
    with pytest.raises(AlreadyThere):
        definition.write(desk.settings, "tender", 1)
    with reading(desk.settings) as session:
        one = session.get_one(Attribute, desk.attribute.id)
        assert (one.revision, one.in_scope or []) == (1, [])
        assert session.get_one(ScopeDecision, key).written is None


def test_what_the_definition_has_is_not_taken_back(desk: PageDesk) -> None:
    take(desk, given(desk, ALL))
    definition.write(desk.settings, "tender", 1)
    assert not undo_decisions.undo(desk.settings, desk.viewer, "tender", page(desk).past[0].key)
    assert said(desk) == {"tender": names(desk, *range(12, 20))}


def test_an_owner_leaves_a_decision_out(desk: PageDesk) -> None:
    take(desk, given(desk, ALL, note="Hands"), OLGA)
    take(desk, given(desk, NONE, first=20, note="Posed"), OLGA)
    second, first = page(desk, OLGA).past
    assert (first.waits, second.waits) == (True, True)
    with pytest.raises(AlreadyThere):
        definition.write(desk.settings, "tender", 1, [first.key, 999])
    with pytest.raises(DataError, match="No decision is ticked"):
        definition.write(desk.settings, "tender", 1, [])
    definition.write(desk.settings, "tender", 1, [first.key])
    with reading(desk.settings) as session:
        one = session.get_one(Attribute, desk.attribute.id)
    assert (one.in_scope, one.out_of_scope or []) == ([*names(desk, 12, 13), "Hands"], [])


def test_of_three_classes_what_is_not_ticked_is_no_example(desk: PageDesk) -> None:
    """It may well be of the second class."""
    with writing(desk.settings) as session:
        session.get_one(Attribute, desk.attribute.id).classes = ["tender", "other", "neither"]
    take(desk, given(desk, TICKED, 12, 13), OLGA)
    definition.write(desk.settings, "tender", 1)
    with reading(desk.settings) as session:
        one = session.get_one(Attribute, desk.attribute.id)
    assert (one.in_scope, one.out_of_scope or []) == (names(desk, 12, 13), [])


def test_decisions_of_somebody_who_has_left_stay_named_and_wait(desk: PageDesk) -> None:
    take(desk, given(desk, TICKED, 13))
    take(desk, given(desk, NONE, first=20), OLGA)
    factories.add_user(desk.settings, OLGA.name, "owner")
    with writing(desk.settings) as session:
        session.get_one(Expert, desk.ana.id).removed_at = now()
    second, first = page(desk, OLGA).past
    assert [(one.who, one.has_left) for one in (first, second)] == [(desk.viewer.name, True), (OLGA.name, False)]
    assert shown(page(desk, OLGA)) == [], "the group stays decided"
    with reading(desk.settings) as session:
        found = listed(session, session.get_one(Attribute, desk.attribute.id))
    assert [(one["who"], one["has_left"]) for one in found] == [(desk.viewer.name, True), (OLGA.name, False)]
    assert definition.write(desk.settings, "tender", 1, [first.key]) == 2


def test_the_command_lists_what_was_decided(desk: PageDesk) -> None:
    take(desk, given(desk, TICKED, 13, note="Two hands touch"))
    take(desk, given(desk, SKIP, first=20))
    done = CliRunner().invoke(
        attune, ["attribute", "scope", "tender", "--json", "--workspace", str(desk.settings.workspace)]
    )
    (one,) = json.loads(done.stdout)["decisions"]
    assert (one["counts"], len(one["does_not_count"]), one["note"]) == (names(desk, 13), 7, "Two hands touch")
    assert (one["answers"], one["revision"]) == (8, None)
