"""Images for browsers: signed addresses, and the bytes behind them after one check of who may see them.

Label Studio's page loads images without a cookie, so the address itself is the proof. It is valid for a week, names one
asset, and opens nothing once the asset is removed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from itsdangerous import BadData, URLSafeSerializer
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets import image_sources, image_uris
from attune.labeler.assets.reach import Reach
from attune.labeler.records.schema import Asset
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import Secrets
from attune.models.errors import BadLink, DataError, ExpiredLink, UnknownAsset
from attune.models.files.atomic import digest_bytes, write_bytes
from attune.models.files.cell_ids import normalise
from attune.models.images.decode import READING, decode, inspect

SALT = "attune.media"
VALID = timedelta(days=7)
THUMBNAIL_SIZES = (128, 256, 512, 1024, 2048)
NEWEST = "Open the image from the console or from a task in Label Studio: both make a new URL."


@dataclass(frozen=True)
class Media:
    """Bytes that a browser shows, and their media type."""

    content: bytes
    mimetype: str


def media_url(settings: Settings, secrets: Secrets, asset_id: str, now: datetime) -> tuple[str, datetime]:
    """The signed address of an asset's image, and when it expires: ``VALID`` after the last midnight (UTC).

    An address is in every task: by the second of its end an expert could tell which tasks came together.
    """
    expires = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + VALID
    token = _signer(secrets).dumps([asset_id, int(expires.timestamp())])
    name = quote(image_uris.file_name(asset_id), safe="")
    return f"{settings.web_address}/media/{token}/{name}", expires


def signed_asset(secrets: Secrets, token: str, now: datetime) -> str:
    """The asset_id that ``token`` was signed for. Raises BadLink, and ExpiredLink with the date."""
    try:
        asset_id, expires = _signer(secrets).loads(token)
        until = datetime.fromtimestamp(int(expires), UTC)
    except (BadData, TypeError, ValueError, OverflowError) as error:
        raise BadLink(f"This image URL was not signed here, or was changed. {NEWEST}") from error
    if now >= until:
        raise ExpiredLink(f"This image URL expired at {until:%Y-%m-%d %H:%M} UTC. {NEWEST}")
    return str(asset_id)


def asset_shown(address: str) -> str | None:
    """The asset_id that an image's address names, whoever signed it and however old it is; None for another address.

    It says what a browser showed, and gives no right to see it.
    """
    match = re.search(r"/media/([^/?#]+)", address)
    _, payload = URLSafeSerializer("", salt=SALT).loads_unsafe(match[1] if match else "")
    return str(payload[0]) if isinstance(payload, list) and len(payload) == 2 else None


def _signer(secrets: Secrets) -> URLSafeSerializer:
    return URLSafeSerializer(secrets.media_key, salt=SALT)


def visible_asset(session: Session, asset_id: str) -> Asset:
    """The asset that may be shown under ``asset_id``: the one place that decides. Raises UnknownAsset."""
    asset = session.scalar(select(Asset).where(Asset.asset_id == normalise(asset_id)))
    if asset is None:
        raise UnknownAsset(f"The asset {asset_id!r} does not exist. To list all assets: `attune assets list`")
    check_visible(asset)
    return asset


def check_visible(asset: Asset) -> None:
    """Raise UnknownAsset for an asset that was removed."""
    if asset.removed_at is not None:
        raise UnknownAsset(
            f"{asset.asset_id} was removed on {asset.removed_at:%Y-%m-%d}. Its image is not shown any more."
        )


def open_asset(settings: Settings, asset: Asset) -> Media:
    """The image of an asset as the encoder sees it, in a format that browsers show.

    As it is where a browser makes the same of it. As PNG otherwise: a format that it does not show, one that moves, and
    one that lets the page show through, as Label Studio's page need not be white.
    Raises UnknownAsset for a removed one, UnreadableItem where the file is gone, DataError where it has other content
    than was added: answers are about the image that was added.
    """
    content = _content(settings, asset)
    info = inspect(content, asset.asset_id, settings.max_pixels, whole=False)
    if info.browsers_show:
        return Media(content, info.mimetype)
    out = BytesIO()
    # Level 1: a page waits for it, and the bytes go no further than a browser.
    decode(content, asset.asset_id, settings.max_pixels).save(out, "PNG", compress_level=1)
    return Media(out.getvalue(), "image/png")


def thumbnail(settings: Settings, asset: Asset, size: int = 256) -> bytes:
    """A JPEG of the asset that fits a square of ``size`` pixels (rounded up to one of THUMBNAIL_SIZES), cached.

    Raises as `open_asset` does.
    """
    check_visible(asset)
    edge = next((step for step in THUMBNAIL_SIZES if step >= size), THUMBNAIL_SIZES[-1])
    path = thumbnail_path(settings, asset.digest, edge)
    try:
        if (
            asset.reading < READING
        ):  # perhaps one of before: `attune.workers.jobs.reread_images` has not looked at it yet
            raise FileNotFoundError(path)
        return path.read_bytes()
    except FileNotFoundError:
        small = decode(_content(settings, asset), asset.asset_id, settings.max_pixels, at_least=2 * edge)
        small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        out = BytesIO()
        small.save(out, "JPEG", quality=85, optimize=True)
        write_bytes(path, out.getvalue())
        return out.getvalue()


def thumbnail_path(settings: Settings, digest: str, edge: int) -> Path:
    """Where the thumbnail of an image with this content is cached."""
    return settings.workspace / "cache" / "thumbnails" / digest[:2] / f"{digest}-{edge}.jpg"


def drop_thumbnails(settings: Settings, digest: str) -> None:
    """Delete the cached thumbnails of an image with this content."""
    for edge in THUMBNAIL_SIZES:
        thumbnail_path(settings, digest, edge).unlink(missing_ok=True)


def _content(settings: Settings, asset: Asset) -> bytes:
    check_visible(asset)
    content = image_sources.read(asset.uri, asset.asset_id, Reach.of(settings))
    if digest_bytes(content) != asset.digest:
        raise DataError(
            f"The file {asset.uri} has changed since {asset.asset_id} was added. Restore the old file, or add "
            f"the new one under another asset_id and remove this one: `attune assets remove {asset.asset_id}`"
        )
    return content
