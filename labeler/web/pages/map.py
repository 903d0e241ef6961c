"""The map of the pool: the page, its points as bytes, and the images behind them."""

from __future__ import annotations

import gzip
import re
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.jobs import jobs
from attune.labeler.maps import layouts
from attune.labeler.queues import pinned
from attune.labeler.records.session import reading
from attune.labeler.spaces import spaces
from attune.labeler.views import map_colours, map_wire
from attune.labeler.views.choosing import choosing
from attune.labeler.views.map_page import images as images_at
from attune.labeler.views.map_page import keys_of_state, lit, map_page
from attune.labeler.views.pictures import PageImage
from attune.labeler.web import auth
from attune.labeler.web.filters import image_address, thumbnail
from attune.labeler.web.title_names import title_name
from attune.models.errors import DataError

blueprint = Blueprint("map", __name__, url_prefix="/explore/map")
DIGEST = re.compile(r"[0-9a-f]{64}")
PATIENCE_SECONDS = 1.0
LONGEST = 300  # characters of any one field


@blueprint.before_request
def _digest() -> None:
    """Nothing but a digest becomes the name of a file. After the door, which tells strangers nothing."""
    if not DIGEST.fullmatch((request.view_args or {}).get("digest", "0" * 64)):
        abort(404)


@blueprint.get("")
def page() -> ResponseReturnValue:
    """The map of ``space``; ``image`` names the one to show on it, ``pick`` those chosen before."""
    space = _field("space") or spaces.FINAL
    found = map_page(auth.settings(), auth.viewer(), _field("image"), _picks(), space)
    bar = choosing(auth.settings(), auth.viewer(), _field("for"))
    usual = (map_colours.by_clusters(space), map_colours.CLUSTER)
    wanted = (_field("by"),) if "by" in request.args else usual
    by = next((one for one in wanted if one in [way.value for way in found.colours]), "")
    return render_template("explore_map.html", page=found, bar=bar, by=by, lookup=pinned.MOST)


@blueprint.post("")
def make() -> ResponseReturnValue:
    """Ask for a map of a space, or for places for new images, unless a job is at it."""
    settings, space = auth.settings(), spaces.check_name(_field("space") or spaces.FINAL)
    with reading(settings) as session:
        if spaces.fingerprint_of(session, space) is None:
            raise DataError(f"The space {space} has no vectors yet. The page Spaces has a button for it.")
        waits = layouts.at_work(session, space) is not None
    if not waits:
        jobs.enqueue(settings, layouts.KIND, space=space, who=auth.viewer().name)
    return redirect(url_for("map.page", space=space, pick=_picks()))


@blueprint.get("/<digest>/positions")
def positions(digest: str) -> ResponseReturnValue:
    """Where each point is: `attune.labeler.views.map_wire.packed`."""
    with reading(auth.settings()) as session:
        keys_of_state(auth.settings(), session, auth.viewer(), digest)
        tag = map_wire.tag(session, digest)
        if tag in request.if_none_match:
            return _kept(Response(status=304), tag)
        content = map_wire.packed(auth.settings(), session, digest)
    return _kept(_zipped(content), tag)


@blueprint.get("/<digest>/colours")
def colours(digest: str) -> ResponseReturnValue:
    """What each point is coloured by: `attune.labeler.views.map_colours.Coloured.packed`."""
    settings = auth.settings()
    with reading(settings) as session:
        keys = keys_of_state(settings, session, auth.viewer(), digest)
        found = map_colours.coloured(settings, session, auth.viewer(), keys, _field("by"))
    return _zipped(gzip.compress(found.packed(), map_wire.LEVEL, mtime=0))


@blueprint.get("/<digest>/images")
def images(digest: str) -> ResponseReturnValue:
    """The images of the points ``at``, numbers with dots between them."""
    at = [int(one) for one in request.args.get("at", "").split(".") if one.isdecimal() and len(one) < 10]
    return jsonify(images=[_shown(*one) for one in images_at(auth.settings(), auth.viewer(), digest, at)])


@blueprint.get("/<digest>/search")
def found(digest: str) -> ResponseReturnValue:
    """The points that the text ``q`` finds, the most similar first; ``waits`` where a worker is still at it."""
    text = _field("q")
    if not text:
        raise DataError("No text to search for. Describe the images.")
    settings = auth.settings()
    result = search.wait_for_result(settings, search.start(settings, Query(text=text)), PATIENCE_SECONDS)
    if result is None or (not result.waits and result.state != "done"):
        raise DataError((result.error if result else "") or "The search stopped. Search again.")
    hits = [] if result.waits else [name for name, _ in result.hits]
    workers = not result.waits or jobs.workers_alive(settings, search.KIND)
    return jsonify(waits=result.waits, workers=workers, at=lit(settings, auth.viewer(), digest, hits))


def _shown(point: int, one: PageImage) -> dict[str, Any]:
    return {
        "at": point,
        "id": one.asset_id,
        "title": title_name(one) or one.title_id,
        "thumbnail": thumbnail(one),
        "image": image_address(one),
        "similar": url_for("explore.page", at=f"like:{one.asset_id}"),
        "width": one.width,
        "height": one.height,
    }


def _zipped(content: bytes) -> Response:
    response = Response(content, mimetype="application/octet-stream")
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    return response


def _kept(response: Response, tag: str) -> Response:
    """Kept by the browser, and asked for each time whether it still holds: an image may have been removed."""
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _picks() -> list[str]:
    return list(dict.fromkeys(one[:255] for one in request.values.getlist("pick")))[: pinned.MOST]


def _field(name: str) -> str:
    return request.values.get(name, "").strip()[:LONGEST]
