"""A served console in which an expert and an owner find something to do in each room: for journeys by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from attune.labeler.answers import ingest, label_errors
from attune.labeler.assets import uploads
from attune.labeler.attributes import attributes
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.explore import search
from attune.labeler.label_studio import grid_project
from attune.labeler.labelling import take_answers, take_chosen, take_pages
from attune.labeler.records.schema import Annotation, Asset, Expert, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.labels.answers import AUDIT
from attune.models.labels.label_errors import SuspectedError
from attune.workers.rounds import gallery_scores
from attune.workers.rounds.snapshot import take_snapshot
from tests.labeler.catalog import judged
from tests.support import factories, web
from tests.support.desk import Stored
from tests.support.page_desk import PageDesk

ANA, OLGA = "ana@desk.example", "olga@example.org"
QUESTIONS = 60  # single images in Ana's queue; she also has 4 pages


@dataclass(frozen=True)
class House:
    """A served console: ``desk`` is Ana's, with single images (stored in ``singles``) and pages; Olga owns it all."""

    address: str
    settings: Settings
    desk: PageDesk
    singles: Stored


@contextmanager
def served(folder: Path, redis_url: str) -> Iterator[House]:
    """A console over a workspace in ``folder`` in which there is something to do for both."""
    settings = judged.filled(folder / "workspace", images=True, redis_url=redis_url)
    promote(settings, Move("serious", 1, "to have one", "bo@example.org"))
    gallery_scores.leave(settings, take_snapshot(settings, "serious"), 4)
    suspect(settings)
    desk = PageDesk(settings, 4, images=True)
    with reading(settings) as session:
        mine = (Queue.attribute_id == desk.attribute.id, Queue.expert_id == desk.ana.id)
        queue = session.scalars(select(Queue).where(*mine)).one()
    for asset in factories.add_assets(settings, QUESTIONS, images=True):
        factories.add_task(settings, queue, asset)
    factories.add_user(settings, ANA, "expert", desk.ana)
    factories.add_user(settings, OLGA, "owner")
    singles = Stored(settings, desk.ana)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(take_answers, "label_studio", lambda _: singles)
        patch.setattr(take_pages, "label_studio", lambda _: desk.store)
        numbers = count(9000)
        patch.setattr(take_chosen, "label_studio", lambda _: desk.store)
        patch.setattr(grid_project, "add", lambda *_: next(numbers))
        patch.setattr(ingest, "ask_to_learn", lambda *_: None)
        patch.setattr(uploads, "LEFT_FREE", 0)
        patch.setattr(search, "start", found_at_once)
        with web.served(create_app(settings)) as address:
            yield House(address, settings, desk, singles)


def suspect(settings: Settings) -> None:
    """Put three answers on the list of suspected label errors."""
    with writing(settings) as session:
        one = attributes.find(session, "serious")
        training = (Annotation.attribute_id == one.id, Annotation.purpose != AUDIT)
        rows = session.execute(
            select(Annotation, Asset.asset_id, Expert.email)
            .join(Asset, Asset.id == Annotation.asset_pk)
            .join(Expert, Expert.id == Annotation.expert_id)
            .where(*training, Annotation.value == "serious")
            .limit(3)
        ).all()
        told = [SuspectedError(image, email, "serious", "not serious", 0.93, 0.1) for _, image, email in rows]
        assert label_errors.replace(session, one.id, 4, told) == 3


def found_at_once(settings: Settings, query: search.Query) -> str:
    """A search as a worker would do it, of images in an order of each text's own."""
    order = np.random.default_rng(len(query.text)).permutation(judged.ASSETS)[:40]
    hits = [[f"a{number}", 1.0 - place / 100] for place, number in enumerate(order)]
    job = factories.add_job(settings, search.KIND, "done", arguments={"text": query.text}, result={"hits": hits})
    return str(job.id)


def all_stored(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-unsent", "0")


def stored(house: House, key: str) -> str:
    """The answer to one question that counts."""
    found = next(one for sent in reversed(house.singles.sent) for one in reversed(sent["answers"]) if one["key"] == key)
    return str(found["result"][0]["value"]["choices"][0])


def answered(house: House) -> set[str]:
    """The keys of the questions that have an answer."""
    return {one["key"] for sent in house.singles.sent for one in sent["answers"]}
