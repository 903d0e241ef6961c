"""Near duplicates and outliers of the pool, as the API answers them: for owners and admins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypedDict

from flask import Response, jsonify

from attune.labeler.explore import duplicates
from attune.labeler.explore.duplicates import Near
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.labeler.web.api.described import PAGES, error, json_answer
from attune.labeler.web.api.routes import get
from attune.models.clock import iso


class LookAlikeOut(TypedDict):
    """An image of a group, or an outlier."""

    asset_id: str
    title_id: str
    similarity: Annotated[float, "Cosine to the first image of the group; of an outlier, to its nearest images."]


class GroupOut(TypedDict):
    """Images that are nearly the same."""

    assets: list[LookAlikeOut]


class Duplicates(TypedDict):
    """What the last search found and nobody has decided about: a page of groups, and all outliers."""

    made_at: Annotated[datetime | None, "null where nobody has searched yet."]
    assets: Annotated[int, "How many images were compared."]
    groups: Annotated[list[GroupOut], "Those of several titles first."]
    outliers: Annotated[list[LookAlikeOut], "The loneliest first."]
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
        names = duplicates.ids_of(session, [key for one in (*shown, left.outliers) for key, _ in one])

    def rows(some: Sequence[Near]) -> list[LookAlikeOut]:
        return [LookAlikeOut(asset_id=names[key], title_id=left.titles[key], similarity=near) for key, near in some]

    at: Any = iso(found.made_at)
    return jsonify(
        Duplicates(
            made_at=at, assets=found.assets, groups=[GroupOut(assets=rows(group)) for group in shown],
            outliers=rows(left.outliers), page=page, pages=pages, total=len(left.groups),
        )
    )  # fmt: skip
