"""Answers to pages of images, stored by a real Label Studio as the expert who gave them, and read back by a sync."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import select, update

from attune.labeler.answers import ingest
from attune.labeler.assets.active_encoder import activate
from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.attributes.attributes import Definition
from attune.labeler.jobs.jobs import quiet
from attune.labeler.label_studio import answering
from attune.labeler.label_studio import grid_project as room
from attune.labeler.label_studio.answering import GivenPage
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.grid_project import Ticks
from attune.labeler.labelling import next_pages, take_chosen, take_pages
from attune.labeler.labelling.take_answers import ANSWERED, GONE, REVISED, STORED, SUPERSEDED
from attune.labeler.labelling.take_chosen import Chosen, Outcome
from attune.labeler.people import experts
from attune.labeler.people.viewer import Viewer
from attune.labeler.queues import grids
from attune.labeler.queues.grids import SIZE
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Grid, GridPage, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import AccessError
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import make_grids
from attune.workers.sync import sync
from tests.support import factories
from tests.support.page_desk import tick
from tests.support.services import EMAIL, PASSWORD

pytestmark = [pytest.mark.services, pytest.mark.slow]
OTHER = "bo@pages.example"


class House:
    """A question with pages before two experts."""

    def __init__(self, live: Settings) -> None:
        self.settings = live
        assets = factories.add_assets(live, 150)
        x = np.random.default_rng(1).standard_normal((150, 8)).astype(np.float32)
        made = Fingerprint("external", "vectors", "external:" + "0" * 64, 8)
        names = [asset.asset_id for asset in assets]
        VectorStore(live.vectors).append(made, names, x / np.linalg.norm(x, axis=1, keepdims=True))
        with writing(live) as session:
            activate(session, made)
            attributes.create(session, Definition("tender", "Tender?", ["tender", "other"]), live)
        for email in (EMAIL, OTHER):
            experts.add(live, email, ["tender"], password=PASSWORD)
            make_grids.run(live, quiet, "tender", email, images=2 * SIZE)

    def viewer(self, email: str = EMAIL) -> Viewer:
        with reading(self.settings) as session:
            expert = session.scalars(select(Expert).where(Expert.email == email)).one().id
        return Viewer("expert", email, expert, 1)

    def pages(self, email: str = EMAIL) -> list[GridPage]:
        with reading(self.settings) as session:
            mine = select(Grid).join(Expert, Expert.id == Grid.expert_id).where(Expert.email == email)
            return grids.pages_of_today(session, session.scalars(mine).one())

    def take(self, *answers: take_pages.PageAnswer, revision: int = 1) -> list[str]:
        outcome = take_pages.take(self.settings, self.viewer(), "tender", revision, answers)
        return [outcome[one.once] for one in answers]

    def said(self, page: GridPage) -> dict[int, str]:
        with reading(self.settings) as session:
            mine = Annotation.asset_pk.in_(page.asset_pks), Annotation.deleted_at.is_(None)
            rows = session.execute(select(Annotation.asset_pk, Annotation.value).where(*mine)).all()
        return {page.asset_pks.index(key): value for key, value in rows}


@pytest.fixture
def house(live: Settings, ls: LabelStudio, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    return House(live)


def stored_on(ls: LabelStudio, page: GridPage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ls.request("GET", f"/api/tasks/{page.label_studio_task}/")["annotations"]
    return found


def test_a_page_is_one_annotation_of_the_expert_and_the_next_sync_reads_the_same(house: House, ls: LabelStudio) -> None:
    first, second = house.pages()
    expected = dict.fromkeys(range(SIZE), "other") | {0: "tender", 3: "tender", 5: "unsure"}
    one = tick(first, 0, 3, unsure=[5])
    assert house.take(one, tick(second)) == [STORED, STORED]
    assert house.take(one) == [STORED], "sent again"
    assert house.said(first) == expected
    (stored,) = stored_on(ls, first)
    user = ls.request("GET", "/api/users/")
    assert stored["completed_by"]["id"] in {one["id"] for one in user if one["email"] == EMAIL}
    assert stored["lead_time"] == 24.0
    assert sync.run(house.settings, quiet, whole=True)["changed"] == 0, "Label Studio tells what the records hold"
    assert house.said(first) == expected
    assert set(house.said(second).values()) == {"other"}


def test_a_corrected_page_is_the_same_annotation_changed(house: House, ls: LabelStudio) -> None:
    page = house.pages()[0]
    house.take(tick(page, 0))
    (before,) = stored_on(ls, page)
    assert house.take(tick(page, 2, unsure=[0])) == [STORED]
    (after,) = stored_on(ls, page)
    assert (after["id"], after["updated_by"]) == (before["id"], after["completed_by"]["id"])
    assert {at: value for at, value in house.said(page).items() if value != "other"} == {0: "unsure", 2: "tender"}
    found = next_pages.ahead(house.settings, house.viewer(), "tender")
    assert [dict(one.marks) for one in found.past] == [{0: "unsure", 2: "tick"}]


def test_of_two_answers_to_a_page_the_one_given_later_stays(house: House, ls: LabelStudio) -> None:
    page, _ = house.pages()
    first = replace(tick(page, 0), is_first=True)
    assert house.take(first) == [STORED]
    assert house.take(replace(tick(page, 5), is_first=True)) == [ANSWERED], "another tab showed the page as open"
    assert house.take(replace(tick(page, 6), age=3600.0)) == [SUPERSEDED], "given before, sent after"
    assert [at for at, value in house.said(page).items() if value == "tender"] == [0]
    assert house.take(replace(first, ticked=frozenset([1]))) == [STORED], "its own correction"
    assert [at for at, value in house.said(page).items() if value == "tender"] == [1]
    assert len(stored_on(ls, page)) == 1


def test_a_skipped_page_is_a_skip_in_label_studio(house: House, ls: LabelStudio) -> None:
    page = house.pages()[0]
    assert house.take(tick(page, skip=True)) == [STORED]
    (stored,) = stored_on(ls, page)
    assert stored["was_cancelled"] is True
    assert house.said(page) == {}


def test_chosen_images_are_one_page_there_and_taken_back_a_skip(house: House, ls: LabelStudio) -> None:
    on_pages = {key for email in (EMAIL, OTHER) for page in house.pages(email) for key in page.asset_pks}
    with reading(house.settings) as session:
        names = list(session.scalars(select(Asset.asset_id).where(Asset.id.not_in(on_pages)).limit(3)))
    batch = Chosen(uuid4(), uuid4(), "other", names)
    for _ in range(2):
        done = take_chosen.take(house.settings, house.viewer(), "tender", 1, [batch])
        assert done == {str(batch.once): Outcome(STORED, 3)}, "sent again, too"
    (page,) = [one for one in house.pages() if len(one.asset_pks) == 3]
    assert [one["was_cancelled"] for one in stored_on(ls, page)] == [False]
    assert sync.run(house.settings, quiet, whole=True)["changed"] == 0
    assert house.said(page) == dict.fromkeys(range(3), "other")
    undo = Chosen(uuid4(), batch.batch, undo=True)
    assert take_chosen.take(house.settings, house.viewer(), "tender", 1, [undo]) == {str(undo.once): Outcome(STORED)}
    assert [one["was_cancelled"] for one in stored_on(ls, page)] == [True]
    assert sync.run(house.settings, quiet, whole=True)["changed"] == 0
    assert house.said(page) == {}


def test_an_experts_chosen_images_are_theirs_alone_there_and_a_stopped_queue_takes_none(
    house: House, ls: LabelStudio
) -> None:
    """Two experts choose the same image: each has an annotation of their own, which nobody else's undo touches."""
    on_pages = {key for email in (EMAIL, OTHER) for page in house.pages(email) for key in page.asset_pks}
    with reading(house.settings) as session:
        free = select(Asset.asset_id).where(Asset.id.not_in(on_pages)).order_by(Asset.id)
        names = list(session.scalars(free.limit(2)))
    mine, theirs = (Chosen(uuid4(), uuid4(), value, names) for value in ("tender", "other"))
    for email, batch in ((EMAIL, mine), (OTHER, theirs)):
        done = take_chosen.take(house.settings, house.viewer(email), "tender", 1, [batch])
        assert done == {str(batch.once): Outcome(STORED, 2)}
    undo = Chosen(uuid4(), mine.batch, undo=True)
    take_chosen.take(house.settings, house.viewer(), "tender", 1, [undo])
    (kept,) = [one for one in house.pages(OTHER) if len(one.asset_pks) == 2]
    assert [one["was_cancelled"] for one in stored_on(ls, kept)] == [False]
    assert house.said(kept) == dict.fromkeys(range(2), "other")
    with reading(house.settings) as session:
        purposes = session.execute(select(Annotation.purpose, Annotation.inclusion)).all()
    assert {tuple(row) for row in purposes} == {("seed", None)}, "asked as chosen images, never as audits"
    with writing(house.settings) as session:
        whose = select(Expert.id).where(Expert.email == OTHER).scalar_subquery()
        session.execute(update(Queue).where(Queue.expert_id == whose).values(stopped_at=now()))
    with pytest.raises(AccessError):
        take_chosen.take(house.settings, house.viewer(OTHER), "tender", 1, [Chosen(uuid4(), uuid4(), "other", names)])


def test_another_experts_page_is_refused_here_and_there(house: House, ls: LabelStudio) -> None:
    theirs = house.pages(OTHER)[0]
    assert house.take(tick(theirs, 0)) == [GONE]
    assert theirs.label_studio_task is not None
    given = GivenPage(str(uuid4()), theirs.label_studio_task, theirs.key, Ticks(frozenset(theirs.asset_pks[:1])), 3.0)
    assert [one.refused for one in answering.send(ls, EMAIL, [given])] == [answering.OUTSIDE]
    assert stored_on(ls, theirs) == []


def test_another_pages_key_at_that_id_stores_nothing(house: House, ls: LabelStudio) -> None:
    first, second = house.pages()
    assert first.label_studio_task is not None
    given = GivenPage(str(uuid4()), first.label_studio_task, second.key, Ticks(frozenset()), 3.0)
    assert [one.refused for one in answering.send(ls, EMAIL, [given])] == [answering.OTHER]
    assert stored_on(ls, first) == []


def test_a_page_opened_before_a_change_of_the_question_is_refused(house: House, ls: LabelStudio) -> None:
    page = house.pages()[0]
    with reading(house.settings) as session:
        held = revise_attribute.definition_of(attributes.find(session, "tender"))
    revise_attribute.revise(house.settings, replace(held, question="Tender, really?"), "A clearer question.")
    assert house.take(tick(page, 0)) == [REVISED]
    assert house.take(tick(page, 0), revision=2) == [GONE]
    assert stored_on(ls, page) == []
    revise_attribute.configure(house.settings, quiet, "tender")
    make_grids.run(house.settings, quiet, "tender", EMAIL, images=SIZE)
    (fresh,) = house.pages()
    assert house.take(tick(fresh, 1), revision=2) == [STORED]
    with reading(house.settings) as session:
        assert session.scalars(select(Attribute)).one().revision == 2


def test_more_pages_are_made_up_to_what_is_asked_for(house: House) -> None:
    assert len(house.pages()) == 2
    told = make_grids.run(house.settings, quiet, "tender", EMAIL, images=4 * SIZE)
    assert (told["pages"], told["exhausted"]) == (4, False)
    assert make_grids.run(house.settings, quiet, "tender", EMAIL, images=4 * SIZE)["pages"] == 4
    shown = [key for email in (EMAIL, OTHER) for page in house.pages(email) for key in page.asset_pks]
    assert len(set(shown)) == len(shown) == 6 * SIZE


def test_pages_of_before_doubts_take_them_too(live: Settings, ls: LabelStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their project in Label Studio has the one control of before, and their tasks have no doubts."""
    before = (
        '<View><Header value="$head"/><Text name="page" value="$about"/>'
        '<Choices name="ticked" toName="page" choice="multiple" value="$images" layout="inline"/></View>'
    )
    whole = room.page_data
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    with monkeypatch.context() as old:
        old.setattr(room, "CONFIG", before)
        old.setattr(
            room,
            "page_data",
            lambda *parts: {key: value for key, value in whole(*parts).items() if key not in {"doubts", "left"}},
        )
        house = House(live)
    page = house.pages()[0]
    assert house.take(tick(page, 0, unsure=[1])) == [STORED]
    assert make_grids.run(live, quiet, "tender", EMAIL, images=3 * SIZE)["pages"] == 3
    expected = dict.fromkeys(range(SIZE), "other") | {0: "tender", 1: "unsure"}
    assert sync.run(live, quiet, whole=True)["changed"] == 0
    assert house.said(page) == expected
    assert house.take(tick(house.pages()[-1], unsure=[4])) == [STORED]
