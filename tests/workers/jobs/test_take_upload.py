"""An upload comes in: what is an image stays, the rest is refused by reason, and no row leads elsewhere."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from attune.labeler.assets import uploads
from attune.labeler.assets.remove import remove
from attune.labeler.demo import prepare
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import quiet
from attune.labeler.records.schema import Asset, User
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AccessError, DataError, UnreadableItem
from attune.workers.jobs import take_upload
from tests.support import factories
from tests.support.factories import picture, workspace


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A workspace with an owner and the sample's encoder, without Redis."""
    monkeypatch.setattr(uploads, "LEFT_FREE", 0)
    monkeypatch.setattr(jobs, "hand_over", lambda *_: None)
    made = workspace(tmp_path / "workspace", redis_port=1, device="cpu", **prepare.encoder_settings())
    factories.add_user(made, "olga@example.org", "owner")
    yield made
    engine(made.records_url).dispose()


def olga(settings: Settings) -> int:
    with reading(settings) as session:
        return session.scalars(select(User.id)).one()


def sent(settings: Settings, files: dict[str, bytes]) -> str:
    ticket, person = uploads.begin(settings, olga(settings)), olga(settings)
    for number, (name, content) in enumerate(files.items()):
        uploads.add_piece(settings, person, ticket, number, name, len(content), 0, content)
    uploads.finish(settings, person, ticket, len(files))
    return ticket


def take(settings: Settings, ticket: str) -> dict[str, Any]:
    return take_upload.run(settings, quiet, ticket=ticket, asked_by=olga(settings), files=1)


def zipped(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def pool(settings: Settings) -> dict[str, Asset]:
    with reading(settings) as session:
        return {asset.asset_id: asset for asset in session.scalars(select(Asset))}


def kept(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.images.rglob("*") if path.is_file())


def test_a_removed_image_comes_back_only_where_its_sender_says_so(settings: Settings) -> None:
    take(settings, sent(settings, {"a.jpg": picture(1)}))
    remove(settings, ["a.jpg"])
    assert take(settings, sent(settings, {"a.jpg": picture(1)}))["refused"] == {"removed before": 1}
    ticket = sent(settings, {"a.jpg": picture(1)})
    told = take_upload.run(settings, quiet, ticket=ticket, asked_by=olga(settings), files=1, restore=True)
    assert (told["restored"], told["refused"]) == (1, {})
    back = pool(settings)["a.jpg"]
    assert back.removed_at is None
    assert Path(back.uri).read_bytes() == picture(1)


def test_images_stay_in_the_workspace_and_the_rest_is_refused_and_not_kept(settings: Settings) -> None:
    ticket = sent(
        settings,
        {
            "a.jpg": picture(1),
            "posters/b.jpg": picture(2),
            "more.zip": zipped({"c.jpg": picture(3), "empty.jpg": b"", "notes.jpg": b"no image", "readme.txt": b"x"}),
            "bad.zip": b"no zip",
        },
    )
    told = take(settings, ticket)
    assert (told["added"], told["passed_over"], sum(told["refused"].values())) == (3, 1, 3)
    assert told["refused"]["damaged zip"] == 1
    assert {one["item"] for one in told["refusals"]} == {"empty.jpg", "notes.jpg", "bad.zip"}
    assert set(pool(settings)) == {"a.jpg", "b.jpg", "c.jpg"}
    assert kept(settings) == ["a.jpg", "b.jpg", "c.jpg"]
    assert all(Path(asset.uri).read_bytes() for asset in pool(settings).values())
    assert not [path for path in uploads.folder_of(settings, olga(settings), ticket).iterdir() if path.name.isdigit()]


def test_done_a_second_time_it_changes_nothing_and_tells_the_same(settings: Settings) -> None:
    ticket = sent(settings, {"a.jpg": picture(1), "bad.jpg": b""})
    told, before = take(settings, ticket), pool(settings)
    assert take(settings, ticket) == told
    assert {name: asset.uri for name, asset in pool(settings).items()} == {n: one.uri for n, one in before.items()}


def test_killed_after_unpacking_it_goes_on_from_there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = sent(
        settings, {"z.zip": zipped({"a.jpg": picture(1), "in.zip": b"x"}), "t.csv": b"asset_id,filename\nA,a.jpg\n"}
    )
    with monkeypatch.context() as patched:

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(take_upload, "add", killed)
        patched.setattr(take_upload, "_drop_others", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            take(settings, ticket)
    told = take(settings, ticket)
    assert (told["added"], told["refused"], set(pool(settings))) == (1, {"an archive in a zip": 1}, {"A"})


def test_the_same_folder_sent_twice_is_kept_once(settings: Settings) -> None:
    files = {"posters/a.jpg": picture(1), "posters/b.jpg": picture(2)}
    take(settings, sent(settings, files))
    told = take(settings, sent(settings, files | {"posters/c.jpg": picture(3)}))
    assert (told["added"], told["already_there"]) == (1, 2)
    assert kept(settings) == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize(
    "files",
    [
        {
            "posters.zip": zipped({"posters/a.jpg": picture(1)}),
            "posters.csv": b"filename,title_id,year\na.jpg,T,1999\n",
        },
        {"posters.zip": zipped({"a.jpg": picture(1), "t.csv": b"filename,title_id,year\na.jpg,T,1999\n"})},
        {"set/a.jpg": picture(1), "set/t.csv": b"filename,title_id,year\na.jpg,T,1999\n"},
    ],
)
def test_a_table_tells_of_the_images_wherever_it_lies(settings: Settings, files: dict[str, bytes]) -> None:
    assert take(settings, sent(settings, files))["added"] == 1
    asset = pool(settings)["a.jpg"]
    assert (asset.title_id, asset.columns) == ("T", {"year": "1999"})


def test_a_row_that_leads_out_of_the_upload_is_refused(settings: Settings, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere.jpg"
    secret.write_bytes(picture(9))
    places = [str(secret), secret.as_uri(), "../../../elsewhere.jpg", "https://example.org/a.jpg", "s3://art/a.jpg"]
    table = "asset_id,uri\nA,a.jpg\n" + "".join(f"x{n},{place}\n" for n, place in enumerate(places))
    told = take(settings, sent(settings, {"a.jpg": picture(1), "t.csv": table.encode()}))
    assert (told["added"], told["refused"]) == (1, {"place not allowed": len(places)})
    assert set(pool(settings)) == {"A"}
    assert all("did not come with the upload" in one["message"] for one in told["refusals"])


def test_two_tables_or_a_table_of_other_columns_add_nothing_and_keep_nothing(settings: Settings) -> None:
    for tables, error in (({"1.csv": b"x", "2.csv": b"x"}, DataError), ({"1.csv": b"name\na"}, UnreadableItem)):
        with pytest.raises(error):
            take(settings, sent(settings, {"a.jpg": picture(1), **tables}))
    assert (pool(settings), kept(settings)) == ({}, [])


def test_who_is_no_longer_an_owner_adds_nothing(settings: Settings) -> None:
    ticket, person = sent(settings, {"a.jpg": picture(1)}), olga(settings)
    with writing(settings) as session:
        session.get_one(User, person).disabled_at = now()
    with pytest.raises(AccessError, match="no longer an owner"):
        take_upload.run(settings, quiet, ticket=ticket, asked_by=person)
    assert (pool(settings), kept(settings)) == ({}, [])
