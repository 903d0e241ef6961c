"""Images by signed address: Label Studio's page loads them from here without a cookie, and so does the console."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, request

from attune.labeler.assets import media
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.models.clock import now
from attune.models.images.decode import READING

blueprint = Blueprint("media", __name__)
KEPT_SECONDS = 300  # short, as an asset may be removed; after that the ETag saves the bytes
THUMBNAIL = 512  # pixels: twice what the pages show, for dense screens


@blueprint.get("/media/<token>/<path:name>")
def image(token: str, name: str) -> Response:
    """The image that ``token`` was signed for, or with ``?size=N`` a JPEG that fits N pixels; ``name`` is for people.

    403 for an address that was not signed here, 410 for one that ran out, 404 for a removed asset.
    """
    settings = auth.settings()
    asset_id = media.signed_asset(current_app.extensions["attune"].secrets, token, now())
    size = request.args.get("size", 0, int)
    with reading(settings) as session:
        asset = media.visible_asset(session, asset_id)
    tag = f"{asset.digest[:32]}-{size}-{READING}"
    if tag in request.if_none_match:
        return _sealed(Response(status=304), tag)
    if size > 0:
        return _sealed(Response(media.thumbnail(settings, asset, size), mimetype="image/jpeg"), tag)
    whole = media.open_asset(settings, asset)
    return _sealed(Response(whole.content, mimetype=whole.mimetype), tag)


def _sealed(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    response.headers["Cache-Control"] = f"private, max-age={KEPT_SECONDS}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.after_request
def _shared(response: Response) -> Response:
    """Errors too: without this header Label Studio's page could not tell what is wrong."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def path_of(asset_id: str, small: bool = False) -> str:
    """The signed path of an asset that the viewer was found to be allowed to see.

    Signed as of this morning, so that the address, and with it the browser's cache, lasts the day.
    """
    shown()[asset_id] = None
    morning = now().replace(hour=0, minute=0, second=0, microsecond=0)
    address, _ = media.media_url(auth.settings(), current_app.extensions["attune"].secrets, asset_id, morning)
    return urlsplit(address).path + (f"?size={THUMBNAIL}" if small else "")


def shown() -> dict[str, None]:
    """The assets whose addresses this request's reply holds so far, in order: the log of who saw what names them."""
    names: dict[str, None] = g.setdefault("shown_assets", {})
    return names
