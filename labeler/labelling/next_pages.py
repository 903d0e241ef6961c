"""An expert's next pages of images, and the last ones that were answered, to be corrected."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import exclusion
from attune.labeler.labelling import own_queue, page_advice
from attune.labeler.labelling.next_questions import today
from attune.labeler.people.viewer import Viewer
from attune.labeler.queues import grids
from attune.labeler.queues.chosen_pages import is_chosen
from attune.labeler.records.schema import Annotation, Asset, Grid, GridAnswer, GridPage
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.labels.answers import UNSURE

AHEAD = 8  # pages that the browser is told of at a time
BACK = 8  # answered pages that a browser that just came can go back to
TICK = "tick"


@dataclass(frozen=True)
class Place:
    """One image on a page; ``number`` is its place there, which an answer names."""

    number: int
    asset_id: str
    width: int
    height: int


@dataclass(frozen=True)
class Page:
    """A page put to the expert: a tick means ``ticked``, no tick ``unticked`` (None: nothing).

    ``marks`` is what the expert said before, by place: ``tick`` or ``unsure``. ``is_skipped``: no image of an answered
    page has an answer; ``left``: places without one on a page where no tick means a class. Nothing tells why an image
    is asked.
    """

    key: str
    ticked: str
    unticked: str | None
    images: Sequence[Place]
    marks: Mapping[int, str] = field(default_factory=dict)
    is_skipped: bool = False
    left: Sequence[int] = ()


@dataclass(frozen=True)
class Pages:
    """What the browser gets at a time; ``images`` waits on open pages, ``today`` counts answers since midnight UTC.

    ``advice``: why to go on with single images, or empty (`page_advice`).
    """

    revision: int
    pages: Sequence[Page]
    images: int
    today: int
    past: Sequence[Page] = ()
    advice: str = ""
    paused: bool = False  # an owner stopped the queue, so nothing comes


def ahead(settings: Settings, viewer: Viewer, name: str, held: Collection[str] = ()) -> Pages:
    """The viewer's next pages, less those of the keys ``held``, which the browser has already.

    The last answered pages come along where it holds none. Raises UnknownAttribute, AccessError.
    """
    with reading(settings) as session:
        one, queue, expert = own_queue.find(session, viewer, name)
        counted = today(session, one.id, expert.id)
        advice = page_advice.switch_to(session, one, queue, page_advice.PAGE)
        grid = grids.find_grid(session, one.id, expert.id)
        paused = queue.stopped_at is not None
        if grid is None or grid.closed_at is not None:
            return Pages(one.revision, (), 0, counted, advice=advice, paused=paused)
        if paused:
            past = () if held else _past(session, grid)
            return Pages(one.revision, (), 0, counted, past, advice, paused)
        waiting = grids.pages_of_today(session, grid, GridPage.state == "open", ~is_chosen())
        fresh = [page for page in waiting if page.key not in set(held)][:AHEAD]
        return Pages(
            one.revision,
            _read(session, fresh),
            sum(len(page.asset_pks) for page in waiting),
            counted,
            () if held else _past(session, grid),
            advice,
        )


def _past(session: Session, grid: Grid) -> list[Page]:
    answered = grids.pages_of_today(session, grid, GridPage.state == "answered", ~is_chosen())
    answered.sort(key=lambda page: (page.updated_at is not None, page.updated_at, page.id))
    return _read(session, answered[-BACK:], marked=True)


def answered(session: Session, page: GridPage) -> Page | None:
    """A page with what was said on it; None where its images are all gone."""
    return next(iter(_read(session, [page], marked=True)), None)


def _read(session: Session, pages: Sequence[GridPage], marked: bool = False) -> list[Page]:
    """Pages with the images that are in the pool; a page whose images are all gone is left out."""
    keys = {int(key) for page in pages for key in page.asset_pks}
    here = select(Asset).where(Asset.id.in_(keys), Asset.removed_at.is_(None))
    assets = {asset.id: asset for asset in session.scalars(here)}
    made = []
    for page in pages:
        images = [
            Place(number, asset.asset_id, asset.width, asset.height)
            for number, key in enumerate(page.asset_pks)
            if (asset := assets.get(int(key))) is not None
        ]
        if images:
            fresh = Page(page.key, page.ticked, page.unticked, images)
            made.append(_answered(session, page, fresh) if marked else fresh)
    return made


def _answered(session: Session, page: GridPage, shown: Page) -> Page:
    """``shown`` with what the answers of a page say."""
    rows = select(Annotation.asset_pk, Annotation.value).join(GridAnswer, GridAnswer.annotation_id == Annotation.id)
    said = session.execute(rows.where(GridAnswer.page_id == page.id, exclusion.kept_in_label_studio())).all()
    values = dict(said)
    marks = {}
    for number, key in enumerate(page.asset_pks):
        value = values.get(int(key))
        if value in {page.ticked, UNSURE}:
            marks[number] = UNSURE if value == UNSURE else TICK
    silent = [one.number for one in shown.images if int(page.asset_pks[one.number]) not in values]
    left = silent if values and page.unticked is not None else []
    return replace(shown, marks=marks, is_skipped=not values, left=left)
