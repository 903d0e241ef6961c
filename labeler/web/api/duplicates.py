"""Near duplicates and outliers of the pool, as the API answers them: for owners and admins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

from flask import Response, jsonify

from attune.labeler.explore import duplicates
from attune.labeler.explore.duplicates import Alike
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.labeler.web.api.described import PAGES, error, json_answer
from attune.labeler.web.api.routes import get
from attune.models.clock import iso


class OutlierOut(TypedDict):
    """An image that is unlike all others."""

    asset_id: str
    title_id: str
    similarity: Annotated[float, "Cosine to its nearest images."]


class LookAlikeOut(TypedDict):
    """An image of a group."""

    asset_id: str
    title_id: str
    similarity: Annotated[float, "Cosine to the first image of the group."]
    likeness: Annotated[
        Literal["first", "identical", "same", "alike"],
        "To the first image: identical is the same file, same is the same picture saved again, for example at another "
        "size. alike may be a different picture.",
    ]


class GroupOut(TypedDict):
    """Images that are nearly the same."""

    assets: list[LookAlikeOut]


class Duplicates(TypedDict):
    """What the last search found and nobody has decided about: a page of groups, and all outliers."""

    made_at: Annotated[datetime | None, "null where nobody has searched yet."]
    assets: Annotated[int, "How many images were compared."]
    groups: Annotated[list[GroupOut], "Those of several titles first."]
    outliers: Annotated[list[OutlierOut], "The loneliest first."]
    page: int
    pages: int
    total: Annotated[int, "How many groups there are."]


@get(
    "/duplicates",
    "List near duplicates and outliers",
    {200: json_answer("A page of groups, and all outliers.", Duplicates), 422: error("A page or size is not valid.")},
    query=PAGES,
    about="For owners and admins. The page Duplicates, or `attune duplicates --anew`, searches again.",
)
def list_duplicates(page: int, size: int) -> Response:
    """What is left to decide of the last search."""
    found = duplicates.load(auth.settings())
    if found is None:
        nothing = Duplicates(made_at=None, assets=0, groups=[], outliers=[], page=1, pages=1, total=0)
        return jsonify(nothing)
    with reading(auth.settings()) as session:
        left = duplicates.left(session, found)
        pages = -(-len(left.groups) // size) or 1
        page = min(page, pages)
        shown = left.groups[(page - 1) * size : page * size]
        names = duplicates.ids_of(session, [*(one.key for group in shown for one in group), *dict(left.outliers)])

    def row(one: Alike) -> LookAlikeOut:
        likeness: Any = one.likeness
        return LookAlikeOut(
            asset_id=names[one.key], title_id=left.titles[one.key], similarity=one.cosine, likeness=likeness
        )

    outliers = [
        OutlierOut(asset_id=names[key], title_id=left.titles[key], similarity=near) for key, near in left.outliers
    ]

    at: Any = iso(found.made_at)
    return jsonify(
        Duplicates(
            made_at=at, assets=found.assets, groups=[GroupOut(assets=[row(one) for one in group]) for group in shown],
            outliers=outliers, page=page, pages=pages, total=len(left.groups),
        )
    )  # fmt: skip
