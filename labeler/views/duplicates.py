"""Near duplicates and outliers as pages show them: large, side by side, with what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting
from attune.labeler.assets.pool_size import pool_size
from attune.labeler.explore import duplicates, look_alikes
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.paging import Page
from attune.labeler.records.schema import Annotation, Asset, LookAlike
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.explore_clusters import pictures_of
from attune.labeler.views.explore_jobs import Progress, progress
from attune.labeler.views.pictures import PageImage, picture

PAGE = 8  # groups
WIDEST = 8  # images of a group: the others come when these are decided about
DECISIONS = 10


@dataclass(frozen=True)
class Pictured:
    """An image with how many answers it has. Of a group, ``likeness`` and ``cosine`` are to its first image; of an
    outlier, ``cosine`` is how near its nearest images are."""

    image: PageImage
    answers: int
    cosine: float
    likeness: str = ""


@dataclass(frozen=True)
class Group:
    """Images that are nearly the same, those with the most answers first, then the largest; ``more`` are not shown.

    ``likeness`` and ``cosine`` are those of the image of all, shown or not, that is least like the first one.
    """

    images: Sequence[Pictured]
    more: int
    likeness: str
    cosine: float

    @property
    def titles(self) -> list[str]:
        """The titles of the images, each once."""
        return list(dict.fromkeys(one.image.title_id for one in self.images))

    @property
    def sizes_differ(self) -> bool:
        """Whether the images are of more than one size."""
        return len({(one.image.width, one.image.height) for one in self.images}) > 1

    @property
    def answers_differ(self) -> bool:
        """Whether some have more answers than others."""
        return len({one.answers for one in self.images}) > 1

    def resized(self, one: Pictured) -> bool:
        """Whether an image is of another size than the first one."""
        first = next((two for two in self.images if two.likeness == duplicates.FIRST), one)
        return (one.image.width, one.image.height) != (first.image.width, first.image.height)


@dataclass(frozen=True)
class DuplicatesPage:
    """A page of ``groups``, or the ``outliers``; ``made_at`` is None where nobody has searched yet.

    ``newer`` images came since. ``other_encoder``: the vectors are of another encoder now.
    """

    groups: Page[Group]
    outliers: Sequence[Pictured]
    made_at: datetime | None
    assets: int
    newer: int
    other_encoder: bool
    job: Progress
    decisions: Sequence[LookAlike]


@dataclass(frozen=True)
class Deciding:
    """What a decision is about: the images in the order in which they were chosen.

    ``titles``: those that all of them can get, by frequency. The images in ``stays`` (ids) keep theirs.
    """

    images: Sequence[Pictured]
    titles: Sequence[str]
    stays: frozenset[str]


def duplicates_page(settings: Settings, viewer: Viewer, page: int, encoder: str) -> DuplicatesPage:
    """What is left to decide of the last search; ``encoder`` is the digest of the active one."""
    found = duplicates.load(settings)
    with reading(settings) as session:
        job = progress(session, (duplicates.KIND,))
        decisions = look_alikes.latest(session, DECISIONS) if viewer.manages else []
        if found is None:
            there = pool_size(session)
            return DuplicatesPage(Page([], 1, PAGE, 0), [], None, there, 0, False, job, decisions)
        left = duplicates.left(session, found)
        number = max(1, min(page, -(-len(left.groups) // PAGE) or 1))
        shown = left.groups[(number - 1) * PAGE : number * PAGE]
        near = {one.key: (one.cosine, one.likeness) for group in shown for one in group}
        pictured = _pictured(session, viewer, {key: (cosine, "") for key, cosine in left.outliers})
        grouped = _pictured(session, viewer, near)
        newer = session.scalar(select(func.count(Asset.id)).where(Asset.id > found.until, Asset.removed_at.is_(None)))
    groups = [_group([grouped[one.key] for one in group if one.key in grouped]) for group in shown]
    return DuplicatesPage(
        Page(groups, number, PAGE, len(left.groups)),
        [pictured[key] for key, _ in left.outliers if key in pictured],
        found.made_at, found.assets, newer or 0, found.encoder != encoder, job, decisions,
    )  # fmt: skip


def deciding(settings: Settings, viewer: Viewer, asset_ids: Sequence[str], least: int) -> Deciding:
    """The images that somebody wants to decide about. Raises DataError where one is not in the pool any more."""
    with reading(settings) as session:
        assets = look_alikes.found(session, asset_ids, least)
        answers = _answers(session, viewer, [one.id for one in assets])
        stays = look_alikes.answered(session, assets)
    images = [Pictured(picture(one), answers.get(one.id, 0), 1.0) for one in assets]
    titles = [one.title_id for one in assets]
    fixed = {one.title_id for one in stays}
    possible = [one for one in dict.fromkeys(titles) if fixed <= {one}]
    possible.sort(key=lambda one: -titles.count(one))
    return Deciding(images, possible, frozenset(one.asset_id for one in stays))


def _pictured(session: Session, viewer: Viewer, near: Mapping[int, tuple[float, str]]) -> dict[int, Pictured]:
    images = pictures_of(session, viewer, list(near))
    answers = _answers(session, viewer, list(near))
    return {key: Pictured(one, answers.get(key, 0), *near[key]) for key, one in images.items()}


def _answers(session: Session, viewer: Viewer, keys: Sequence[int]) -> dict[int, int]:
    """How many answers each image has, of all questions; experts read nothing of others' answers here."""
    if not viewer.manages or not keys:
        return {}
    held = counting.answers(which=and_(counting.is_valid(), Annotation.asset_pk.in_(keys)))
    rows = session.execute(select(held.c.asset_pk, func.count()).group_by(held.c.asset_pk))
    return {key: count for key, count in rows}  # noqa: C416 - rows are no pairs to mypy


def _group(images: Sequence[Pictured]) -> Group:
    order = sorted(images[:WIDEST], key=lambda one: (-one.answers, -one.image.width * one.image.height))
    far = max(images, key=lambda one: (duplicates.DEGREES.index(one.likeness), -one.cosine), default=None)
    alike = (far.likeness, far.cosine) if far else (duplicates.ALIKE, 0.0)
    return Group(order, max(0, len(images) - WIDEST), *alike)
