"""Similar images in a chosen space, as the API answers."""

from __future__ import annotations

from typing import Annotated, TypedDict

from flask import Response, jsonify

from attune.labeler.explore import similar as finding
from attune.labeler.explore.search import TOP
from attune.labeler.people.viewer import check_filter, check_space
from attune.labeler.web import auth
from attune.labeler.web.api.described import error, json_answer, text, whole
from attune.labeler.web.api.routes import get


class SimilarImage(TypedDict):
    """An image and how similar it is in the space."""

    asset_id: str
    similarity: float


class SimilarImages(TypedDict):
    """What is similar, nearest first; its title's own artwork and near duplicates apart."""

    space: str
    of: Annotated[int, "How many images were compared."]
    older: Annotated[bool, "Images added or changed a short time ago are not compared yet: a worker will add them."]
    assets: list[SimilarImage]
    same_title: list[str]
    near_duplicates: list[str]


@get(
    "/similar",
    "Find similar images in a space",
    {
        200: json_answer("The images, most similar first.", SimilarImages),
        404: error("The image does not exist, or no taste space is in use."),
        409: error("The pool is empty or is being prepared, or the space belongs to another encoder."),
        422: error("No such space, or a number or column is not valid."),
    },
    query=(
        text("like", "The asset_id of an example."),
        text("space", "final (how it looks), taste, colour or a layer such as layer:4.", default="final"),
        text("other", "A column, such as genre: only images that share no value in it. Only for owners and admins."),
        whole("top", 50, f"How many images, at most {TOP}.", most=TOP),
    ),
    about="For experts, owners and admins. The space taste is for owners and admins alone.",
)
def similar(like: str, space: str, other: str, top: int) -> Response:
    """Images of the pool that are similar to one in a space."""
    check_filter(auth.viewer(), other.strip())
    check_space(auth.viewer(), space.strip())
    found = finding.similar(auth.settings(), like.strip(), space.strip(), other.strip(), top, patient=False)
    return jsonify(
        SimilarImages(
            space=space.strip(),
            of=found.of,
            older=found.older,
            assets=[{"asset_id": name, "similarity": value} for name, value in found.hits],
            same_title=list(found.own),
            near_duplicates=list(found.twins),
        )
    )
