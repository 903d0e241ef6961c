"""Signed addresses open one image for seven days; nothing else opens anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from attune.labeler.assets import media
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import engine, writing
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import Secrets
from attune.models.errors import BadLink, DataError, ExpiredLink, UnknownAsset, UnreadableItem
from attune.models.files.atomic import digest_bytes
from attune.models.images.decode import decode, inspect
from tests.support import images, odd_images
from tests.support.factories import workspace

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS = Secrets(*["k" * 40] * len(fields(Secrets)))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    made = workspace(tmp_path / "workspace", public_url="https://attune.example")
    yield made
    engine(made.records_url).dispose()


def asset(settings: Settings, content: bytes, name: str = "a.jpg") -> Asset:
    path = settings.workspace / name
    path.write_bytes(content)
    made = Asset(
        asset_id=name,
        title_id=name,
        uri=str(path),
        digest=digest_bytes(content),
        width=1,
        height=1,
        columns={},
        added_at=NOON,
    )
    with writing(settings) as session:
        session.add(made)
    return made


def token(url: str) -> str:
    return url.rsplit("/", 2)[1]


def test_an_address_is_good_for_seven_days_from_midnight_and_not_a_second_longer(settings: Settings) -> None:
    url, expires = media.media_url(settings, KEYS, "one/été 1.jpg", NOON)
    assert url.startswith("https://attune.example/media/")
    assert unquote(url).endswith("/été 1.jpg")
    assert expires == NOON.replace(hour=0) + timedelta(days=7)
    assert media.signed_asset(KEYS, token(url), expires - timedelta(seconds=1)) == "one/été 1.jpg"
    with pytest.raises(ExpiredLink, match="expired at 2026-03-08 00:00 UTC"):
        media.signed_asset(KEYS, token(url), expires)


def test_addresses_of_one_day_do_not_tell_when_they_were_made(settings: Settings) -> None:
    first, later = (media.media_url(settings, KEYS, "a.jpg", NOON + timedelta(seconds=n)) for n in (0, 7000))
    assert first == later


@given(st.data())
def test_an_altered_address_opens_nothing(data: st.DataObject) -> None:
    signed = media._signer(KEYS).dumps(["a.jpg", int(NOON.timestamp()) + 60])
    place = data.draw(st.integers(0, len(signed) - 1))
    sign = data.draw(st.characters(codec="ascii"))
    altered = signed[:place] + sign + signed[place + 1 :]
    if media_equal(altered, signed):
        return
    with pytest.raises(BadLink):
        media.signed_asset(KEYS, altered, NOON)


def media_equal(one: str, other: str) -> bool:
    """Whether two tokens carry the same bytes: the last letter of base64 has bits to spare."""
    from itsdangerous.encoding import base64_decode

    try:
        return [base64_decode(part) for part in one.split(".")] == [base64_decode(part) for part in other.split(".")]
    except Exception:
        return False


@pytest.mark.parametrize("text", ["", "a.jpg", "W10.x", "../../etc/passwd", "é" * 50, "." * 500])
def test_what_nobody_signed_opens_nothing(text: str) -> None:
    with pytest.raises(BadLink, match="not signed here"):
        media.signed_asset(KEYS, text, NOON)


def test_another_workspaces_key_signs_nothing_here(settings: Settings) -> None:
    url, _ = media.media_url(settings, Secrets(*["other" * 8] * len(fields(Secrets))), "a.jpg", NOON)
    with pytest.raises(BadLink):
        media.signed_asset(KEYS, token(url), NOON)


@pytest.mark.parametrize("name", images.GOOD)
def test_whatever_the_format_browsers_get_one_they_show(settings: Settings, name: str) -> None:
    shown = media.open_asset(settings, asset(settings, images.GOOD[name], name))
    assert shown.mimetype in {"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"}
    with Image.open(BytesIO(shown.content)) as opened:
        assert Image.MIME[opened.format or ""] == shown.mimetype


def test_thumbnails_fit_their_square_and_are_made_once(settings: Settings) -> None:
    made = asset(settings, images.GOOD["plain.jpg"])
    small = media.thumbnail(settings, made, 100)
    with Image.open(BytesIO(small)) as opened:
        assert (opened.format, max(opened.size)) == ("JPEG", 128)
    Path(made.uri).unlink()
    assert media.thumbnail(settings, made, 128) == small
    with pytest.raises(UnreadableItem, match="does not exist"):
        media.thumbnail(settings, made, 512)


def test_a_file_that_changed_is_not_shown_in_the_others_place(settings: Settings) -> None:
    made = asset(settings, images.GOOD["plain.jpg"])
    Path(made.uri).write_bytes(images.GOOD["grey.png"])
    for show in (media.open_asset, media.thumbnail):
        with pytest.raises(DataError, match=r"a\.jpg was added"):
            show(settings, made)


def test_removed_and_unknown_assets_are_not_shown(settings: Settings) -> None:
    made = asset(settings, images.GOOD["plain.jpg"])
    media.thumbnail(settings, made)
    with writing(settings) as session:
        assert media.visible_asset(session, "a.jpg").id == made.id
        with pytest.raises(UnknownAsset):
            media.visible_asset(session, "b.jpg")
        session.get_one(Asset, made.id).removed_at = NOON
        session.flush()
        with pytest.raises(UnknownAsset, match="removed on 2026-03-01"):
            media.visible_asset(session, "a.jpg")
        gone = session.get_one(Asset, made.id)
        for show in (media.open_asset, media.thumbnail):
            with pytest.raises(UnknownAsset):
                show(settings, gone)


SHOWN = {
    "turned.jpg": odd_images.turned_jpeg(6),
    "profile.png": odd_images.rgb_png(odd_images.iccp(odd_images.rgb_profile())),
    "half clear.png": odd_images.encoded(odd_images.with_alpha(), "PNG"),
    "palette.gif": odd_images.encoded(odd_images.scene().quantize(16), "GIF", transparency=2),
    "film.gif": images.animation(),
    "turned.tif": odd_images.tiff(np.asarray(odd_images.scene()), 2, tags={274: (3, [6])}),
    "negative.tif": odd_images.tiff(odd_images.deep(1)[..., 0], 0),
    **odd_images.shown_otherwise(),
}


@pytest.mark.parametrize("name", SHOWN)
def test_encoder_thumbnail_page_and_record_agree(settings: Settings, name: str) -> None:
    """What /media serves is read as a browser reads it: `test_images_shown` holds that reading against Chromium."""
    made = asset(settings, SHOWN[name], name)
    encoded = decode(SHOWN[name], name)
    info = inspect(SHOWN[name], name)
    served = media.open_asset(settings, made)
    assert encoded.size == (info.width, info.height)
    on_page = decode(served.content, name)
    assert np.array_equal(np.asarray(on_page), np.asarray(encoded))
    again = inspect(served.content, "served")
    assert not again.transparent, "the page behind it would show"
    assert not again.animated, "the time would change it"
    assert again.browsers_show, "what is served must look as it was read"
    assert served.mimetype != "image/tiff"
    with Image.open(BytesIO(media.thumbnail(settings, made, 1024))) as small:
        assert small.size == encoded.size
        assert np.abs(np.asarray(small, dtype=int) - np.asarray(encoded, dtype=int)).mean() < 6
