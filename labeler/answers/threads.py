"""Threads: short comments on an image that experts answered differently, by those who may compare the answers.

Whoever may not read what the others said (`viewer.may_compare`) finds no thread: neither its comments nor how many
there are. To read, to write and to delete follow the same rule, so that no first answer is given with a look at it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from unicodedata import category

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from attune.labeler.answers.counting import current
from attune.labeler.attributes import attributes
from attune.labeler.notices import notices
from attune.labeler.notices.notices import News
from attune.labeler.people.viewer import Viewer, may_compare
from attune.labeler.records.schema import Asset, Attribute, Comment, Notice, NoticeRead, User
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AccessError, DataError, UnknownAsset
from attune.models.labels.answers import SKIP, UNSURE

LONGEST = 1000  # characters of a comment
MOST = 200  # comments in a thread, which is one page
CLOSED = (
    "You cannot open the thread of this image. A thread opens when two experts answered an image differently, and for "
    "an expert one day after their own answer. It closes when the answer changes, for one more day, or when the image "
    "waits in your queue or leaves the pool. The page of disputed images lists the threads that you can open."
)


def disputed(attribute_id: int) -> Select[int]:
    """The keys of the assets that got two classes or more."""
    answer = current([attribute_id])
    return (
        select(answer.c.asset_pk)
        .where(answer.c.value.not_in([SKIP, UNSURE]))
        .group_by(answer.c.asset_pk)
        .having(func.count(answer.c.value.distinct()) > 1)
    )


def commented(attribute_id: int) -> Select[int]:
    """The keys of the assets with something in their thread."""
    return select(Comment.asset_pk).where(Comment.attribute_id == attribute_id)


def may_open(viewer: Viewer, attribute_id: int, image: int) -> ColumnElement[bool]:
    """The condition on the ``Asset`` of key ``image`` under which ``viewer`` may read and write its thread; it stays
    once it has begun."""
    there = or_(Asset.id.in_(disputed(attribute_id)), Asset.id.in_(commented(attribute_id)))
    return there & may_compare(viewer, attribute_id, [image])


def opened(session: Session, viewer: Viewer, attribute_id: int, image: int) -> Asset:
    """The asset with the key ``image``, whose thread ``viewer`` may open. Raises UnknownAsset, in the same words
    whether the image, the dispute or the right is missing."""
    asset = session.scalar(select(Asset).where(Asset.id == image, may_open(viewer, attribute_id, image)))
    if asset is None:
        raise UnknownAsset(CLOSED)
    return asset


def comments(session: Session, attribute_id: int, image: int) -> Sequence[Comment]:
    """The thread, oldest first; for whom it was `opened`."""
    mine = (Comment.attribute_id == attribute_id, Comment.asset_pk == image)
    return session.scalars(select(Comment).where(*mine).order_by(Comment.id)).all()


def counts(session: Session, attribute_id: int, images: Collection[int]) -> dict[int, int]:
    """How many comments each of ``images`` has, of which the viewer may open all; those without are left out."""
    mine = (Comment.attribute_id == attribute_id, Comment.asset_pk.in_(images), Comment.revision.is_(None))
    grouped = select(Comment.asset_pk, func.count()).where(*mine).group_by(Comment.asset_pk)
    return dict(session.execute(grouped).all())


def write(settings: Settings, viewer: Viewer, name: str, image: int, text: str) -> None:
    """Add a comment, and tell the others in the thread. The same text sent twice in a row is kept once.

    Raises UnknownAttribute, UnknownAsset as `opened`, DataError for a text that is empty or too long, and AccessError
    for an API token, which is no person.
    """
    with writing(settings) as session:
        one = attributes.find(session, name)
        asset = opened(session, viewer, one.id, image)
        said = _checked(text)
        if viewer.user_id is None:
            raise AccessError("An API token cannot write a comment, because a comment has its author's name. Log in.")
        thread = comments(session, one.id, asset.id)
        if len(thread) >= MOST:
            raise DataError(f"This thread has {MOST} comments, the most that it can have. Change the definition now.")
        if thread and (thread[-1].user_id, thread[-1].text) == (viewer.user_id, said):
            return
        news = _add(session, one, asset.id, viewer.user_id, said)
    notices.record_news(settings, news)


def delete(settings: Settings, viewer: Viewer, name: str, image: int, comment: int) -> bool:
    """Delete the viewer's own comment; False where it is not there, or another's, or says which revision was made.

    Raises UnknownAttribute, and UnknownAsset as `opened`.
    """
    with writing(settings) as session:
        one = attributes.find(session, name)
        asset = opened(session, viewer, one.id, image)
        row = session.get(Comment, comment)
        if row is None or (row.attribute_id, row.asset_pk, row.user_id) != (one.id, asset.id, viewer.user_id):
            return False
        if row.revision is not None:
            return False
        session.delete(row)
    return True


def note_revision(settings: Settings, viewer: Viewer, name: str, image: int, revision: int, text: str) -> None:
    """Say in the thread that ``revision`` was made of it, by whom, and what it added; a token leaves no line."""
    if viewer.user_id is None:
        return
    with writing(settings) as session:
        news = _add(session, attributes.find(session, name), image, viewer.user_id, text, revision)
    notices.record_news(settings, news)


def _checked(text: str) -> str:
    """Plain text: lines, and no other control character."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    said = "".join(letter for letter in lines if letter == "\n" or category(letter) != "Cc").strip()
    if not said:
        raise DataError("The comment is empty. Write what you think about this image.")
    if len(said) > LONGEST:
        raise DataError(f"The comment has {len(said):,} characters. A comment can have {LONGEST:,}. Make it shorter.")
    return said


def _add(
    session: Session, attribute: Attribute, image: int, user: int, text: str, revision: int | None = None
) -> list[News]:
    """Add the row; what there is to tell the others who wrote in the thread, unless they were told and have not
    looked. It says nothing of what was written, nor by whom: the thread may be closed to its reader for a day."""
    mine = (Comment.attribute_id == attribute.id, Comment.asset_pk == image)
    row = Comment(attribute_id=attribute.id, asset_pk=image, user_id=user, text=text, revision=revision, at=now())
    session.add(row)
    session.flush()
    link = f"{notices.page(attribute.name)}/contested/{image}"
    seen = select(NoticeRead.notice_id).where(NoticeRead.notice_id == Notice.id, NoticeRead.user_id == User.id)
    notified = select(Notice.id).where(Notice.kind == notices.COMMENT, Notice.link == link, Notice.user_id == User.id)
    others = session.scalars(
        select(User.id).where(
            User.id.in_(select(Comment.user_id).where(*mine)),
            User.id != user,
            User.disabled_at.is_(None),
            ~notified.where(~seen.exists()).exists(),
        )
    )
    return [
        News(
            f"comment:{row.id}:{other}", notices.COMMENT, f"{attribute.name}: a new comment on a disputed image",
            "Somebody wrote in a thread in which you wrote, too. Open it to read the comment.", link, attribute.id,
            user=other,
        )
        for other in others
    ]  # fmt: skip
