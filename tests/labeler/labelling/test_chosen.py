"""Chosen images answered at once: what is stored, what is left out and why, taken back, and never a measure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from attune.labeler.answers import ingest
from attune.labeler.catalog import audit_evidence
from attune.labeler.label_studio import grid_project
from attune.labeler.labelling import next_pages, take_chosen
from attune.labeler.labelling.take_chosen import Chosen, Outcome
from attune.labeler.people.viewer import LEFT_ALONE, may_compare
from attune.labeler.queues import chosen_pages
from attune.labeler.queues.pinned import own_picks
from attune.labeler.records.one_at_a_time import hold_lock
from attune.labeler.records.schema import Annotation, Asset, GridPage, Pick, Queue
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.views import review_facts
from attune.models.clock import now
from attune.models.errors import DataError, LabelStudioUnreachable
from attune.models.labels.agreement_sample import comparable
from tests.support import databases, factories
from tests.support.page_desk import PageDesk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PageDesk:
    """Ana with one page that waits, Bo with another; the first 12 images are Ana's page, the last 12 Bo's."""
    made, numbers = PageDesk(factories.workspace(tmp_path / "workspace"), 1), count(800)
    monkeypatch.setattr(take_chosen, "label_studio", lambda _: made.store)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    monkeypatch.setattr(grid_project, "add", lambda *_: next(numbers))
    return made


def names(desk: PageDesk, *places: int) -> list[str]:
    return [desk.assets[place].asset_id for place in places]


def take(desk: PageDesk, *batches: Chosen, revision: int = 1) -> list[Outcome]:
    done = take_chosen.take(desk.settings, desk.viewer, "tender", revision, batches)
    return [done[str(batch.once)] for batch in batches]


def batch(desk: PageDesk, value: str, *places: int, name: UUID | None = None) -> Chosen:
    return Chosen(uuid4(), name or uuid4(), value, names(desk, *places))


def back(given: Chosen) -> Chosen:
    return Chosen(uuid4(), given.batch, undo=True)


def said(desk: PageDesk) -> dict[str, str]:
    rows = select(Asset.asset_id, Annotation.value).join(Asset, Asset.id == Annotation.asset_pk)
    with reading(desk.settings) as session:
        return dict(session.execute(rows.where(Annotation.deleted_at.is_(None))).all())


def test_all_images_get_the_answer_as_chosen_ones(desk: PageDesk) -> None:
    assert take(desk, batch(desk, "other", 12, 13), batch(desk, "unsure", 14)) == [
        Outcome("stored", 2),
        Outcome("stored", 1),
    ]
    assert said(desk) == dict(zip(names(desk, 12, 13, 14), ["other", "other", "unsure"], strict=True))
    with reading(desk.settings) as session:
        assert set(session.scalars(select(Annotation.purpose))) == {"seed"}
        assert set(session.scalars(select(Annotation.expert_id))) == {desk.ana.id}


def test_the_same_batch_again_changes_nothing(desk: PageDesk) -> None:
    one = batch(desk, "other", 12, 13)
    assert take(desk, one) == take(desk, one) == [Outcome("stored", 2)]
    assert len(desk.store.rows) == 1


def test_a_batch_that_broke_off_goes_on_where_it_was(desk: PageDesk) -> None:
    one = batch(desk, "other", 12, 13)
    desk.store.away = True
    with pytest.raises(LabelStudioUnreachable):
        take(desk, one)
    desk.store.away = False
    assert take(desk, one) == [Outcome("stored", 2)]
    with reading(desk.settings) as session:
        assert len(session.scalars(select(GridPage).where(chosen_pages.is_chosen())).all()) == 1


def both_at_once(
    desk: PageDesk, monkeypatch: pytest.MonkeyPatch, first: Chosen, second: Chosen
) -> tuple[list[list[Outcome]], int]:
    """``second`` is sent while Label Studio still takes the page of ``first``; what became of both, and how many pages
    Label Studio was given."""
    inside, overtaken, given, done = threading.Event(), threading.Event(), [], {}

    def add(*_: object) -> int:
        if inside.is_set():
            overtaken.set()
        else:
            inside.set()
            overtaken.wait(0.5)
        given.append(700 + len(given))
        return given[-1]

    def send(sent: Chosen) -> None:
        done[id(threading.current_thread())] = take(desk, sent)

    monkeypatch.setattr(grid_project, "add", add)
    threads = [threading.Thread(target=send, args=(sent,)) for sent in (first, second)]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(30)
    return [done[id(thread)] for thread in threads], len(given)


@pytest.fixture(params=databases.BOTH)
def shared_desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageDesk]:
    made = PageDesk(factories.workspace(tmp_path / "shared", database_url=databases.database(request)), 1)
    monkeypatch.setattr(take_chosen, "label_studio", lambda _: made.store)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    yield made
    engine(made.settings.records_url).dispose()


def test_a_batch_sent_again_while_the_first_request_runs_is_one_page(
    shared_desk: PageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = batch(shared_desk, "other", 12, 13)
    assert both_at_once(shared_desk, monkeypatch, one, one) == ([[Outcome("stored", 2)]] * 2, 1)
    assert len(shared_desk.store.rows) == 1
    with reading(shared_desk.settings) as session:
        assert len(session.scalars(select(GridPage).where(chosen_pages.is_chosen())).all()) == 1


def test_two_batches_at_once_answer_no_image_twice(desk: PageDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = batch(desk, "other", 12, 13), batch(desk, "tender", 13, 14)
    done, pages = both_at_once(desk, monkeypatch, *pair)
    assert done == [[Outcome("stored", 2)], [Outcome("stored", 1, {"answered": names(desk, 13)})]]
    assert pages == 2
    assert said(desk) == dict(zip(names(desk, 12, 13, 14), ["other", "other", "tender"], strict=True))


def test_a_batch_does_not_hold_a_thread_while_another_is_stored_and_is_asked_again(
    shared_desk: PageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, one = shared_desk, batch(shared_desk, "other", 12)
    assert take_chosen.PATIENCE_SECONDS <= 3, "one of eight threads"
    monkeypatch.setattr(take_chosen, "PATIENCE_SECONDS", 1)
    monkeypatch.setattr(grid_project, "add", lambda *_: 700)
    with hold_lock(desk.settings, f"chosen:{desk.attribute.id}:{desk.ana.id}", 1, ""):
        assert take(desk, one) == [Outcome("storing")]
        assert said(desk) == {}
    assert take(desk, one) == [Outcome("stored", 1)]


def test_what_waits_was_answered_or_is_gone_is_left_out_by_reason(desk: PageDesk) -> None:
    take(desk, batch(desk, "tender", 15))
    with writing(desk.settings) as session:
        session.get_one(Asset, desk.assets[16].id).removed_at = now()
        mine = {"attribute_id": desk.attribute.id, "expert_id": desk.ana.id, "asset_pk": desk.assets[17].id}
        session.add(Pick(**mine, who="bo@desk.example", purpose="second-opinion", created_at=now()))
    done = take(desk, batch(desk, "other", 0, 15, 16, 17, 18))
    assert done == [
        Outcome("stored", 1, {"answered": names(desk, 15), "waiting": names(desk, 0, 17), "absent": names(desk, 16)})
    ]
    assert said(desk) == dict(zip(names(desk, 15, 18), ["tender", "other"], strict=True))


@pytest.mark.parametrize("purpose", ["audit", "seed", "borderline", "likely", "second-opinion"])
def test_an_audit_in_the_queue_is_left_out_like_any_other_task_there(desk: PageDesk, purpose: str) -> None:
    with reading(desk.settings) as session:
        queue = session.scalars(select(Queue).where(Queue.expert_id == desk.ana.id)).one()
    factories.add_task(desk.settings, queue, desk.assets[12], purpose=purpose)
    assert take(desk, batch(desk, "other", 12)) == [Outcome("stored", 0, {"waiting": names(desk, 12)})]
    assert desk.store.sent == []


def test_taken_back_no_image_has_an_answer_and_the_next_batch_counts(desk: PageDesk) -> None:
    first = batch(desk, "tender", 12, 13)
    take(desk, first)
    assert take(desk, back(first)) == [Outcome("stored", 0)]
    assert said(desk) == {}
    assert take(desk, batch(desk, "other", 12)) == [Outcome("stored", 1)]
    assert said(desk) == {names(desk, 12)[0]: "other"}


def test_an_undo_of_what_never_came_is_no_error(desk: PageDesk) -> None:
    assert take(desk, back(batch(desk, "other"))) == [Outcome("stored", 0)]


def test_no_answer_by_choice_measures_even_if_taken_back(desk: PageDesk) -> None:
    kept, gone = batch(desk, "other", 12), batch(desk, "tender", 13)
    take(desk, kept, gone, back(gone))
    with reading(desk.settings) as session:
        wanted = {(name, desk.ana.email) for name in names(desk, 12, 13)}
        assert own_picks(session, desk.attribute.id) == wanted


def test_answers_by_choice_are_no_evidence_of_agreement_and_the_review_counts_them(desk: PageDesk) -> None:
    take(desk, batch(desk, "other", 12, 13))
    evidence = audit_evidence.collect(desk.settings, "tender")
    assert review_facts.agreement(evidence, None).chosen == 2
    assert not comparable(evidence.firsts, evidence.own, evidence.seed)


def test_whoever_answers_by_choice_does_not_read_the_others(desk: PageDesk) -> None:
    """Or a person could look, take the answer back, and answer as the others."""
    take(desk, batch(desk, "other", 12))
    with writing(desk.settings) as session:
        row = session.scalars(select(Annotation)).one()
        row.updated_at = row.answered_at = now() - 2 * LEFT_ALONE
    with reading(desk.settings) as session:
        assert list(session.scalars(select(Asset.id).where(may_compare(desk.viewer, desk.attribute.id)))) == []


def test_pages_of_images_show_no_batch(desk: PageDesk) -> None:
    take(desk, batch(desk, "other", 12))
    found = next_pages.ahead(desk.settings, desk.viewer, "tender")
    assert [page.key for page in (*found.pages, *found.past)] == [desk.pages[0].key]


def test_a_batch_for_an_older_question_is_not_stored(desk: PageDesk) -> None:
    assert take(desk, batch(desk, "other", 12), revision=7) == [Outcome("revised")]


@pytest.mark.parametrize(("value", "places"), [("romantic", [12]), ("skip", [12]), ("other", [12] * 501)])
def test_what_is_no_answer_is_refused(desk: PageDesk, value: str, places: list[int]) -> None:
    with pytest.raises(DataError):
        take(desk, Chosen(uuid4(), uuid4(), value, [f"image-{n}" for n in range(len(places))]))


def test_many_images_are_several_pages(desk: PageDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_pages, "PAGE", 5)
    assert take(desk, batch(desk, "other", *range(12, 24))) == [Outcome("stored", 12)]
    assert len(desk.store.rows) == 3
