"""What tests of scoping share: an owner, decisions as they are sent, and what is stored of them."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import select

from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Asset
from attune.labeler.records.session import reading
from attune.labeler.scope import decisions
from attune.labeler.scope.decisions import Decision, Taken
from attune.labeler.views.scope import ScopePage, scope_page
from tests.support.page_desk import PageDesk

OLGA = Viewer("owner", "olga@desk.example")


def names(desk: PageDesk, *places: int) -> list[str]:
    return [desk.assets[place].asset_id for place in places]


def given(desk: PageDesk, said: str, *ticked: int, note: str = "", first: int = 12) -> Decision:
    return Decision(uuid4(), said, names(desk, *range(first, first + 8)), names(desk, *ticked), note)


def take(desk: PageDesk, one: Decision, viewer: Viewer | None = None, revision: int = 1) -> Taken:
    return decisions.take(desk.settings, viewer or desk.viewer, "tender", revision, one)


def said(desk: PageDesk) -> dict[str, list[str]]:
    """Answer -> the images that have it."""
    found: dict[str, list[str]] = {}
    rows = select(Annotation.value, Asset.asset_id).join(Asset, Asset.id == Annotation.asset_pk)
    with reading(desk.settings) as session:
        for value, name in session.execute(rows.where(Annotation.deleted_at.is_(None)).order_by(Asset.id)):
            found.setdefault(value, []).append(name)
    return found


def page(desk: PageDesk, viewer: Viewer | None = None) -> ScopePage:
    return scope_page(desk.settings, viewer or desk.viewer, "tender")


def shown(found: ScopePage) -> list[str]:
    return [one.asset_id for one in found.group]
