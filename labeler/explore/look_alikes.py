"""What an owner decides about images that look alike or lie alone: apart, one title, or they belong; and back again.

To take images out is no decision of this kind: `labeler.assets.remove` does it, and adding them again undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers.change import one_writer
from attune.labeler.assets.given_titles import TITLE
from attune.labeler.records.schema import Annotation, Asset, LookAlike
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.text import plural

APART, BELONGS = "apart", "belongs"  # kinds, beside TITLE
MOST = 50  # images in one decision


@dataclass(frozen=True)
class Decided:
    """Pairs of asset keys, the smaller first, that nobody is asked about again, and keys of no outliers."""

    pairs: frozenset[tuple[int, int]]
    belong: frozenset[int]


def decided(session: Session) -> Decided:
    """All decisions that were not undone."""
    pairs: set[tuple[int, int]] = set()
    belong: set[int] = set()
    for row in session.scalars(select(LookAlike).where(LookAlike.undone_at.is_(None))):
        if row.kind == BELONGS:
            belong.update(row.asset_pks)
        else:
            pairs.update(combinations(sorted(row.asset_pks), 2))
    return Decided(frozenset(pairs), frozenset(belong))


def latest(session: Session, most: int) -> Sequence[LookAlike]:
    """The newest decisions that were not undone."""
    there = select(LookAlike).where(LookAlike.undone_at.is_(None))
    return session.scalars(there.order_by(LookAlike.id.desc()).limit(most)).all()


def keep_apart(settings: Settings, asset_ids: Sequence[str], who: str) -> None:
    """Remember that these images are no duplicates of each other. Raises DataError."""
    with writing(settings) as session:
        assets = found(session, asset_ids, 2)
        session.add(_row(APART, assets, who))


def belongs(settings: Settings, asset_ids: Sequence[str], who: str) -> None:
    """Remember that these images are no outliers. Raises DataError."""
    with writing(settings) as session:
        session.add(_row(BELONGS, found(session, asset_ids, 1), who))


def same_title(settings: Settings, asset_ids: Sequence[str], title: str, who: str) -> int:
    """Put these images under ``title``, which one of them has; how many changed. Raises DataError.

    An image that has answers would take them from titles that train to titles that measure, or back: it stays.
    """
    with writing(settings) as session:
        one_writer(session, None)
        assets = found(session, asset_ids, 2, lock=True)
        if title not in {one.title_id for one in assets}:
            raise DataError(f"{title[:80]!r} is not the title of any of these images. Choose one of their titles.")
        changed = [one for one in assets if one.title_id != title]
        if stays := answered(session, changed):
            raise DataError(
                f"Experts have answered or skipped {stays[0].asset_id!r}, so its title stays {stays[0].title_id!r}. "
                "Nothing was changed. Choose its title for all images, or keep only one of them."
            )
        row = _row(TITLE, assets, who)
        row.title, row.titles_before = title, {str(one.id): one.title_id for one in assets}
        session.add(row)
        for one in changed:
            one.title_id = title
    return len(changed)


def undo(settings: Settings, number: int) -> LookAlike:
    """Take a decision back. Titles that were changed again since stay.

    Raises DataError where there is none, where some of its images were given a title since by a decision that holds,
    or where an image that would change back was answered since.
    """
    with writing(settings) as session:
        one_writer(session, None)
        row = session.get(LookAlike, number, with_for_update=True)
        if row is None or row.undone_at is not None:
            raise DataError("This decision was undone already. Load the page again.")
        before = {int(key): title for key, title in row.titles_before.items()}
        mine = select(Asset).where(Asset.id.in_(before)).order_by(Asset.id).with_for_update(key_share=True)
        assets = session.scalars(mine).all()
        if newer := _on_top(session, number, before.keys()):
            raise DataError(
                f"Some of these images got the title {newer.title!r} since, so nothing was undone. Undo "
                f"“Same title: {newer.title}” first, if you want the older titles back."
            )
        changed = [one for one in assets if one.title_id == row.title != before[one.id]]
        if stays := answered(session, changed):
            raise DataError(
                f"Experts have answered or skipped {stays[0].asset_id!r} since, so its title stays "
                f"{stays[0].title_id!r}. Nothing was undone."
            )
        row.undone_at = now()
        for one in changed:
            one.title_id = before[one.id]
        return row


def _on_top(session: Session, number: int, keys: Iterable[int]) -> LookAlike | None:
    """The newest title that was given after decision ``number``, to one of these images, and that holds."""
    later = select(LookAlike).where(LookAlike.id > number, LookAlike.kind == TITLE, LookAlike.undone_at.is_(None))
    mine = set(keys)
    newest_first = session.scalars(later.order_by(LookAlike.id.desc()))
    return next((one for one in newest_first if mine.intersection(one.asset_pks)), None)


def answered(session: Session, assets: Sequence[Asset]) -> list[Asset]:
    """Those of these images whose titles stay: somebody answered or skipped them once, for any question.

    A probe may have learned from an answer that is deleted now. Which titles are reserved is not asked, so that a
    refusal says nothing about it.
    """
    some = Annotation.asset_pk.in_([one.id for one in assets])
    keys = set(session.scalars(select(Annotation.asset_pk).where(some)))
    return [one for one in assets if one.id in keys]


def found(session: Session, asset_ids: Sequence[str], least: int, lock: bool = False) -> list[Asset]:
    """The images of the pool with these ids, in this order; with ``lock`` nobody else changes them meanwhile.

    Raises DataError for too few or too many, or one gone.
    """
    asked = list(dict.fromkeys(asset_ids))
    if not least <= len(asked) <= MOST:
        raise DataError(f"{plural(len(asked), 'image')} chosen. Choose from {least} to {MOST}.")
    there = select(Asset).where(Asset.asset_id.in_(asked), Asset.removed_at.is_(None)).order_by(Asset.id)
    by_id = {one.asset_id: one for one in session.scalars(there.with_for_update(key_share=True) if lock else there)}
    gone = [name for name in asked if name not in by_id]
    if gone:
        raise DataError(f"{gone[0][:80]!r} is not in the pool any more. Load the page Duplicates again.")
    return [by_id[name] for name in asked]


def _row(kind: str, assets: Iterable[Asset], who: str) -> LookAlike:
    keys = [one.id for one in assets]
    return LookAlike(kind=kind, asset_pks=keys, title="", titles_before={}, decided_by=who, decided_at=now())
