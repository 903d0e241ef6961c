"""One disputed image, large: who said what, and the thread below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting, held_answers, threads
from attune.labeler.attributes import attributes
from attune.labeler.attributes.agreed import IN_SCOPE, OUT_OF_SCOPE
from attune.labeler.labelling import corrections
from attune.labeler.people.viewer import Viewer, may_compare
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Asset, Attribute, Comment, Expert, User
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.disagreements import DisputedImage, sides
from attune.labeler.views.pictures import PageImage, picture
from attune.models.labels.answers import UNSURE

AGREED = 6  # images a page


@dataclass(frozen=True)
class Line:
    """A comment, or with ``revision`` what was added to the question then; ``own`` ones can be deleted."""

    id: int
    author: str
    owner: bool
    text: str
    at: datetime
    own: bool
    revision: int | None


@dataclass(frozen=True)
class ThreadPage:
    """``annotation``: the viewer's own answer where it can be corrected. ``example``: the list that names the image."""

    name: str
    question: str
    definition: str
    classes: Sequence[str]
    revision: int
    picture: PageImage
    sides: Sequence[tuple[str, Sequence[str]]]
    lines: Sequence[Line]
    annotation: int | None
    example: str
    full: bool


def thread_page(settings: Settings, viewer: Viewer, name: str, image: int) -> ThreadPage:
    """The thread of the asset with the key ``image``. Raises UnknownAttribute, UnknownAsset as `threads.opened`."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        asset = threads.opened(session, viewer, one.id, image)
        lines = _lines(session, viewer, threads.comments(session, one.id, asset.id))
        return ThreadPage(
            name=one.name,
            question=one.question,
            definition=one.definition,
            classes=one.classes,
            revision=one.revision,
            picture=picture(asset),
            sides=sides(session, one.id, [asset.id], [*one.classes, UNSURE]).get(asset.id, ()),
            lines=lines,
            annotation=_own(session, viewer, one, asset),
            example=next((key for key in (IN_SCOPE, OUT_OF_SCOPE) if asset.asset_id in getattr(one, key)), ""),
            full=len(lines) >= threads.MOST,
        )


def agreed(session: Session, viewer: Viewer, attribute: Attribute, page: int = 1) -> Page[DisputedImage]:
    """Images with a thread that are disputed no more, as experts corrected their answers; only those with a thread
    that the viewer may open."""
    disputed = held_answers.of(session, attribute.id).disputed.tolist()
    settled = set(session.scalars(threads.commented(attribute.id))).difference(disputed)
    allowed = may_compare(viewer, attribute.id, threads.commented(attribute.id))
    mine = (Asset.id.in_(settled), allowed)
    query = select(Asset).where(*mine).order_by(Asset.id.desc())
    found = page_of(session, query, page, AGREED)
    keys = [asset.id for asset in found.items]
    said = sides(session, attribute.id, keys, [*attribute.classes, UNSURE])
    counts = threads.counts(session, attribute.id, keys)
    return found.map(lambda asset: DisputedImage(picture(asset), said.get(asset.id, ()), counts.get(asset.id, 0)))


def _lines(session: Session, viewer: Viewer, rows: Sequence[Comment]) -> list[Line]:
    people = session.execute(
        select(User.id, User.email, User.role, Expert.name)
        .outerjoin(Expert, Expert.id == User.expert_id)
        .where(User.id.in_({row.user_id for row in rows}))
    )
    # Owners have no name, and an expert needs no one's address.
    known = {key: (name or email.partition("@")[0], role != "expert") for key, email, role, name in people}
    return [
        Line(row.id, *known[row.user_id], row.text, row.at, row.user_id == viewer.user_id, row.revision) for row in rows
    ]


def _own(session: Session, viewer: Viewer, attribute: Attribute, asset: Asset) -> int | None:
    answer = counting.answers([attribute.id], [viewer.expert_id or 0], assets=[asset.id])
    mine = session.scalar(select(answer.c.id))
    return mine if mine is not None and corrections.correctable(session, [mine]) else None
