"""Pages of images before an expert, and a Label Studio that stores what it is sent; `desk` for single images."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from attune.labeler.label_studio import answering
from attune.labeler.labelling import next_pages, take_pages
from attune.labeler.labelling.take_pages import PageAnswer
from attune.labeler.people.viewer import Viewer
from attune.labeler.queues.grids import SIZE
from attune.labeler.records.schema import Annotation, Asset, Expert, Grid, GridPage
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.errors import LabelStudioUnreachable
from tests.support import factories
from tests.support.overtaken import Writers


class Stored:
    """What Label Studio keeps: task's id -> its annotation. ``away``: it does not answer."""

    def __init__(self, settings: Settings, expert: Expert) -> None:
        self.settings, self.user = settings, expert.label_studio_user or 7
        self.rows: dict[int, dict[str, Any]] = {}
        self.sent: list[Any] = []
        self.away, self.clock, self.writers = False, now(), Writers()

    def request(self, method: str, path: str, body: Any) -> Any:
        assert (method, path) == ("POST", answering.ANSWERS)
        if self.away:
            raise LabelStudioUnreachable("Label Studio does not answer.")
        self.sent.append(body)
        return {"answers": [self.store(one) for one in body["answers"]]}

    def store(self, one: dict[str, Any]) -> dict[str, Any]:
        with reading(self.settings) as session:
            key = session.scalars(select(GridPage.key).where(GridPage.label_studio_task == one["task"])).one()
        assert key == one["key"]
        said = {name: one[name] for name in ("result", "was_cancelled", "lead_time")}
        made = self.rows.setdefault(one["task"], {"id": 900 + len(self.rows), "created_at": iso(self.clock)})
        if made.get("result") != said["result"] or made.get("was_cancelled") != said["was_cancelled"]:
            if refused := self.writers.refusal(one):
                return {"once": one["once"], "refused": refused}
            self.clock += timedelta(seconds=1)
            said["lead_time"] += one["more"]
            made |= said | {"updated_at": iso(self.clock), "completed_by": self.user, "updated_by": self.user}
        return {"once": one["once"], "annotation": dict(made), "task": {"id": one["task"], "data": {"attune_key": key}}}


class PageDesk:
    """Ana with ``count`` pages that wait, Bo with one."""

    def __init__(
        self, settings: Settings, count: int, images: bool = False, classes: Sequence[str] = ("tender", "other")
    ) -> None:
        self.settings = settings
        self.assets = factories.add_assets(settings, SIZE * (count + 1), images)
        self.attribute = factories.add_attribute(
            settings, "tender", question="Is the scene tender?", classes=list(classes)
        )
        self.ana, self.bo = (factories.add_expert(settings, f"{name}@desk.example") for name in ("ana", "bo"))
        for one in (self.ana, self.bo):
            factories.add_queue(settings, self.attribute, one)
        dealt = [self.assets[at : at + SIZE] for at in range(0, len(self.assets), SIZE)]
        asked = classes[:1] if len(classes) == 2 else classes
        unticked = classes[1] if len(classes) == 2 else None
        with writing(settings) as session:
            grids = [
                Grid(attribute_id=self.attribute.id, expert_id=one.id, project=70 + one.id, view=1, created_at=now())
                for one in (self.ana, self.bo)
            ]
            session.add_all(grids)
            session.flush()
            self.pages = [
                GridPage(
                    grid_id=grids[0 if number < count else 1].id,
                    label_studio_task=500 + number,
                    ticked=asked[number % len(asked)],
                    unticked=unticked,
                    asset_pks=[asset.id for asset in part],
                    state="open",
                    signed_until=now(),
                    created_at=now(),
                )
                for number, part in enumerate(dealt)
            ]
            session.add_all(self.pages)
        self.bos = self.pages.pop()
        self.viewer = Viewer("expert", self.ana.email, self.ana.id, 1)
        self.store = Stored(settings, self.ana)

    def ahead(self, *held: str) -> list[str]:
        return [one.key for one in next_pages.ahead(self.settings, self.viewer, "tender", held).pages]

    def take(self, *answers: PageAnswer, revision: int = 1) -> list[str]:
        outcome = take_pages.take(self.settings, self.viewer, "tender", revision, answers)
        return [outcome[one.once] for one in answers]

    def said(self, page: GridPage) -> dict[int, str]:
        """Place on the page -> the answer that counts."""
        with reading(self.settings) as session:
            mine = Annotation.asset_pk.in_(page.asset_pks), Annotation.deleted_at.is_(None)
            rows = session.execute(select(Annotation.asset_pk, Annotation.value).where(*mine)).all()
        assert len(rows) == len(dict(rows)), "an image has two answers"
        return {page.asset_pks.index(key): value for key, value in rows}

    def remove(self, page: GridPage, place: int) -> None:
        with writing(self.settings) as session:
            session.get_one(Asset, page.asset_pks[place]).removed_at = now()


def tick(
    page: GridPage,
    *ticked: int,
    unsure: Sequence[int] = (),
    left: Sequence[int] = (),
    once: str = "",
    skip: bool = False,
) -> PageAnswer:
    return PageAnswer(once or str(uuid4()), page.key, frozenset(ticked), frozenset(unsure), frozenset(left), 24.0, skip)
