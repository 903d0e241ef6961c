"""Images by signed address: what opens, what does not, and what a browser may keep."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import update

from attune.labeler.assets.media import media_url
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.labeler.web.conftest import Actor
from tests.support import factories


@pytest.fixture
def asset(settings: Settings) -> Asset:
    return factories.add_assets(settings, 1, images=True)[0]


@pytest.fixture
def path(app: Flask, settings: Settings, asset: Asset) -> str:
    return urlsplit(media_url(settings, app.extensions["attune"].secrets, asset.asset_id, now())[0]).path


def test_the_whole_image_and_a_small_one(anybody: Actor, path: str, asset: Asset) -> None:
    whole, small = anybody.get(path), anybody.get(path + "?size=128")
    assert whole.mimetype == small.mimetype == "image/jpeg"
    assert Image.open(BytesIO(whole.data)).size == (asset.width, asset.height)
    assert max(Image.open(BytesIO(small.data)).size) == 128


def test_label_studios_page_may_read_it_and_no_shared_cache_may_keep_it(anybody: Actor, path: str) -> None:
    headers = anybody.get(path, headers={"Origin": "http://label-studio.example"}).headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["Cache-Control"].startswith("private")
    assert "Set-Cookie" not in headers


def test_a_browser_that_has_it_gets_no_bytes(anybody: Actor, path: str) -> None:
    tag = anybody.get(path).headers["ETag"]
    again = anybody.get(path, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["Access-Control-Allow-Origin"] == "*"


def test_an_address_that_ran_out_says_where_to_get_a_new_one(app: Flask, settings: Settings, asset: Asset) -> None:
    old, _ = media_url(settings, app.extensions["attune"].secrets, asset.asset_id, now() - timedelta(days=8))
    reply = Actor(app).get(urlsplit(old).path)
    assert reply.status_code == 410
    assert "Open the image from the console" in reply.text
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_a_forged_address_opens_nothing(anybody: Actor, path: str) -> None:
    _, _, token, name = path.split("/")
    payload, _, signature = token.rpartition(".")
    for forged in (f"{payload}.{signature[::-1]}", f"x{token}", token[:-1], "a", payload):
        assert anybody.get(f"/media/{forged}/{name}").status_code == 403


def test_a_removed_asset_is_shown_no_more(settings: Settings, anybody: Actor, path: str, asset: Asset) -> None:
    tag = anybody.get(path).headers["ETag"]
    with writing(settings) as session:
        session.execute(update(Asset).where(Asset.id == asset.id).values(removed_at=now()))
    assert anybody.get(path, headers={"If-None-Match": tag}).status_code == 404


def test_the_signature_is_not_written_to_the_log(anybody: Actor, path: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "attune.web"):
        anybody.get(path)
    assert path.split("/")[2] not in caplog.text
