"""Groups of members as the page shows them: pictures first, of artwork that resonates and of titles they watch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.members import forecasting, groupings, words
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.performance.simulated import is_simulated
from attune.labeler.records.schema import Asset, MemberGrouping, MemberPromotion
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.explore_jobs import Progress, progress
from attune.labeler.views.pictures import PageImage, by_id, picture
from attune.models.errors import AttuneError, UnknownGrouping

KIND = "members"
SHOWN = 6  # images and titles of a group
LEAST_LIFT = 1.05  # below it, a title has its usual share as the page writes it


@dataclass(frozen=True)
class Shown:
    """One image; ``picture`` is None where it is not here. ``said``: why it is shown."""

    asset_id: str
    picture: PageImage | None
    said: str


@dataclass(frozen=True)
class Group:
    """A group: its number, members (rounded), share of all, the artwork it takes more, the titles it watches more."""

    number: int
    members: int
    share: float
    artwork: Sequence[Shown]
    more_artwork: int
    titles: Sequence[Shown]


@dataclass(frozen=True)
class MembersPage:
    """One version; ``row`` is None before there is any, and where ``refused`` says why it is not shown. ``asked``: the
    title that was asked for, with its forecast in ``forecast`` and ``says``, or why there is none."""

    row: MemberGrouping | None
    groups: Sequence[Group]
    stable: str
    about_artwork: str
    versions: Sequence[MemberGrouping]
    champion: int | None
    history: Sequence[MemberPromotion]
    job: Progress
    asked: str = ""
    forecast: Sequence[Mapping[str, Any]] = ()
    says: str = ""
    why: str = ""
    made_up: bool = False  # the workspace's performance is simulated, so its members may be
    simulated: bool = False  # the members' files say that they are made up
    refused: str = ""


def members_page(settings: Settings, viewer: Viewer, version: str = "", title: str = "") -> MembersPage:
    """The page of a version, and where ``title`` is given its forecast. Raises UnknownGrouping for a wrong version."""
    with reading(settings) as session:
        versions, job = groupings.listed(session), progress(session, (KIND,))
        champion, history = groupings.champion(session), groupings.history(session)
        made_up = is_simulated(session)
    if not versions and not version:
        return MembersPage(None, [], "", "", [], None, [], job)
    try:
        row = groupings.find(settings, version)
    except UnknownGrouping as error:
        if version:
            raise
        return MembersPage(None, [], "", "", versions, champion, history, job, refused=str(error))
    found = {one["group"]: words.liked(row, one["group"]) for one in row.figures["groups"]}
    with reading(settings) as session:
        images = _images(session, viewer, (one.asset_id for liked in found.values() for one in liked[:SHOWN]))
        wanted = (one["title_id"] for group in row.figures["groups"] for one in group["titles"][:SHOWN])
        posters = _posters(session, viewer, wanted)
    groups = [_group(one, found[one["group"]], images, posters) for one in row.figures["groups"]]
    page = MembersPage(
        row, groups, words.stable(row.figures), words.about_artwork(row.figures), versions, champion, history, job,
        made_up=made_up, simulated=words.simulated(row),
    )  # fmt: skip
    return _with_forecast(settings, page, title.strip()[:255]) if title.strip() else page


def _with_forecast(settings: Settings, page: MembersPage, title: str) -> MembersPage:
    assert page.row is not None
    shares: Sequence[Mapping[str, Any]] = ()
    says = why = ""
    try:
        shares = forecasting.forecast(settings, page.row, title)["shares"]
        says = words.shares(shares)
    except AttuneError as error:
        why = str(error)
    return replace(page, asked=title, forecast=shares, says=says, why=why)


def _group(
    one: Mapping[str, Any], liked: Sequence[words.Liked], images: Mapping[str, PageImage],
    posters: Mapping[str, PageImage],
) -> Group:  # fmt: skip
    artwork = [Shown(image.asset_id, images.get(image.asset_id), image.said) for image in liked[:SHOWN]]
    titles = [
        Shown(title["title_id"], posters.get(title["title_id"]), f"{title['lift']:.1f} times the usual share")
        for title in one["titles"][:SHOWN]
        if title["lift"] >= LEAST_LIFT
    ]
    return Group(one["group"], one["members"], one["share"], artwork, max(len(liked) - SHOWN, 0), titles)


def _images(session: Session, viewer: Viewer, wanted: Iterable[str]) -> dict[str, PageImage]:
    return by_id(session, set(wanted), may_explore(viewer))


def _posters(session: Session, viewer: Viewer, wanted: Iterable[str]) -> dict[str, PageImage]:
    """The first image of each title."""
    first = select(func.min(Asset.id)).where(Asset.title_id.in_(sorted(set(wanted))), may_explore(viewer))
    rows = session.scalars(select(Asset).where(Asset.id.in_(first.group_by(Asset.title_id))))
    return {row.title_id: picture(row) for row in rows}


def promote(settings: Settings, version: str, reason: str, who: str) -> MemberGrouping:
    """Use a version from now on. Raises DataError without a reason, UnknownGrouping without a version."""
    if not version:
        raise UnknownGrouping("No version was named. Choose one of the list.")
    return groupings.promote(settings, version, reason, who)
