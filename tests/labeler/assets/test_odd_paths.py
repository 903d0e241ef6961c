"""What real folders hold beside images, and how programs write paths: taken or named, and nothing stops the rest."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select

from attune.labeler.assets import image_sources, image_uris
from attune.labeler.assets.add import Request, add
from attune.labeler.assets.proposed import Found, from_files
from attune.labeler.assets.scan import scan
from attune.labeler.assets.summary import Summary
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import UnreadableItem
from tests.labeler.assets.conftest import write_vectors
from tests.support.factories import picture


def put_in(settings: Settings, *paths: object, manifest: Path | None = None) -> Summary:
    """Add with a vector for a.jpg alone, so that no encoder is needed."""
    vectors = settings.workspace / "a.npz"
    write_vectors(vectors, ["a.jpg"])
    return add(settings, Request([os.fspath(path) for path in paths], manifest, vectors))  # type: ignore[call-overload]


def held(settings: Settings) -> dict[str, str]:
    """asset_id -> uri of the pool."""
    with reading(settings) as session:
        return {asset.asset_id: asset.uri for asset in session.scalars(select(Asset))}


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


KINDS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "pipe": ("a named pipe", os.mkfifo),
    "socket": ("a socket", make_socket),
    "device": ("a device", lambda path: path.symlink_to("/dev/zero")),
    "dangling": ("a link to nothing", lambda path: path.symlink_to("gone.png")),
    "loop": ("a link to nothing", lambda path: path.symlink_to(path.name)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", [".png", ".txt", ""])
def test_what_is_no_file_is_noted_and_never_opened(settings: Settings, folder: Path, kind: str, suffix: str) -> None:
    what, make = KINDS[kind]
    make(folder / f"odd{suffix}")
    summary = put_in(settings, folder)
    assert (summary.added, summary.refused) == (6, [])
    assert summary.notes[f"{what}, passed over"] == 1
    named = put_in(settings, folder / f"odd{suffix}", folder / "a.jpg")
    assert (named.already_there, [reason for _, reason, _ in named.refused]) == (1, [what])


def test_links_to_folders_are_noted_and_followed_where_named(settings: Settings, folder: Path) -> None:
    (folder / "up").symlink_to("..")
    summary = put_in(settings, folder)
    assert (summary.added, summary.notes["a link to a folder, passed over"]) == (6, 1)
    assert put_in(settings, folder / "up" / "images").already_there == 6


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_that_names_no_file_costs_one_row(settings: Settings, folder: Path, kind: str) -> None:
    KINDS[kind][1](folder / "odd.png")
    manifest = folder / "m.csv"
    manifest.write_text("asset_id,filename\na.jpg,a.jpg\nodd,odd.png\nb.jpg,b.jpg\n")
    summary = put_in(settings, folder, manifest=manifest)
    assert summary.added == 2
    assert [item for item, _, _ in summary.refused] == ["odd.png"]


def test_names_that_begin_with_a_tilde_are_files(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("~tmp.png", "~root.png", "~"):
        (folder / name).write_bytes(picture(len(name)))
    monkeypatch.chdir(folder)
    assert put_in(settings, "~tmp.png", "~root.png", "./~", "a.jpg").refused == []
    assert set(held(settings)) == {"~tmp.png", "~root.png", "~", "a.jpg"}
    monkeypatch.setenv("HOME", str(folder))
    assert image_uris.absolute("~/a.jpg") == str(folder / "a.jpg")
    assert image_uris.absolute("~/") == str(folder)


ODD = "a b %41 é+#?.png"


@pytest.mark.parametrize(
    "write",
    [
        lambda path: f"file://{quote(path)}",
        lambda path: f"file://localhost{quote(path)}",
        lambda path: f"FILE://LOCALHOST{quote(path)}",
        lambda path: f"file:{quote(path)}",
        lambda path: f"file://{path}",
        lambda path: path,
    ],
    ids=["three slashes", "localhost", "capitals", "one slash", "not encoded", "a path"],
)
def test_a_file_uri_is_the_path_it_means(settings: Settings, folder: Path, write: Callable[[str], str]) -> None:
    (folder / ODD).write_bytes(picture(50))
    manifest = folder / "m.csv"
    manifest.write_text(f"title_id;uri\nA;{write(str(folder / ODD))}\nB;file://{folder}/a.jpg\n")
    summary = put_in(settings, folder, manifest=manifest)
    assert (summary.added, summary.refused) == (2, [])
    assert held(settings) == {ODD: str(folder / ODD), "a.jpg": str(folder / "a.jpg")}
    assert image_sources.read(write(str(folder / ODD)), "x") == picture(50)


def test_a_file_uri_of_another_machine_costs_one_row(settings: Settings, folder: Path) -> None:
    manifest = folder / "m.csv"
    manifest.write_text("asset_id,uri\nx,file://server/share/x.png\na.jpg,a.jpg\ny,nonsense://host/y.png\n")
    summary = put_in(settings, folder, manifest=manifest)
    assert summary.added == 1
    assert [reason for _, reason, _ in summary.refused] == ["another machine", "place not allowed"]


def test_the_longest_names_are_ids(settings: Settings, folder: Path) -> None:
    long = ["a" * 250 + ".png", "é" * 125 + ".png", "b" * 251 + ".png"]
    (folder / "deep" / ("d" * 200)).mkdir(parents=True)
    for number, name in enumerate(long):
        (folder / "deep" / ("d" * 200) / name).write_bytes(picture(20 + number))
    assert put_in(settings, folder).refused == []
    assert set(long) <= set(held(settings))


def test_one_name_in_several_paths_gets_longer_ids(settings: Settings, tmp_path: Path) -> None:
    for number, place in enumerate(["a/t1", "a/t2", "b/t1"]):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "poster.png").write_bytes(picture(number))
    (tmp_path / "a" / "a.jpg").write_bytes(picture(9))
    for paths in (["a/t1", "a/t2"], ["a/t2", "a/t1"]):
        found = scan([str(tmp_path / path) for path in paths]).files
        made, _ = from_files(found, {})
        assert sorted(one.ids[0] for one in made) == ["t1/poster.png", "t2/poster.png"]
    summary = put_in(settings, tmp_path / "a" / "t1", tmp_path / "b" / "t1", tmp_path / "a" / "a.jpg")
    assert (summary.added, summary.refused) == (3, [])
    assert set(held(settings)) == {"a/t1/poster.png", "b/t1/poster.png", "a.jpg"}


def test_no_two_files_get_one_id(tmp_path: Path) -> None:
    files = [
        Found("/r/x/y.png", "x/y.png", "r"),
        Found("/q/x/y.png", "y.png", "x"),
        Found("/p/x/y.png", "y.png", "x"),
        Found("/r/z/y.png", "z/y.png", "r"),
    ]
    made, refused = from_files(files, {})
    assert refused == []
    assert len({one.ids[0] for one in made}) == len(files)


@pytest.mark.parametrize("first", ["\u00e9.png", "e\u0301.png"])
def test_names_of_two_unicode_forms_are_one_id(first: str) -> None:
    second = "e\u0301.png" if len(first) == 5 else "\u00e9.png"
    found = [Found(f"/p/{name}", name, "p") for name in (first, second, "a.png")]
    for known, kept in (({}, "/p/e\u0301.png"), ({"/p/\u00e9.png": "mine"}, "/p/\u00e9.png")):
        for order in (found, found[::-1]):
            made, refused = from_files(order, known)
            assert {one.uri: one.ids[0] for one in made} == {kept: known.get(kept, "\u00e9.png"), "/p/a.png": "a.png"}
            ((_, error),) = refused
            assert "only in its Unicode form" in str(error)


def test_a_third_file_of_the_name_gets_a_longer_id() -> None:
    found = [
        Found(f"/p/{name}", name, "p") for name in ("t/\u00e9.png", "t/e\u0301.png", "u/\u00e9.png", "a.png ", "a.png")
    ]
    made, refused = from_files(found, {})
    assert sorted(one.ids[0] for one in made) == ["a.png", "t/\u00e9.png", "u/\u00e9.png"]
    assert len(refused) == 2


def test_a_file_named_by_two_paths_counts_once(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    summary = put_in(settings, folder, "../images/a.jpg", "one/../b.jpg", folder.parent / "link", "a.jpg", ".")
    assert (summary.added, summary.already_there, summary.refused) == (6, 0, [])
    assert held(settings)["a.jpg"] == str(folder / "a.jpg")


def test_dots_after_a_link_are_the_systems(tmp_path: Path) -> None:
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (tmp_path / "far" / "x.png").write_bytes(picture(1))
    (tmp_path / "link").symlink_to(tmp_path / "far" / "deep")
    assert image_uris.absolute(str(tmp_path / "link" / ".." / "x.png")) == str(tmp_path / "far" / "x.png")


def test_older_uris_are_known_again(settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(settings, folder)
    with writing(settings) as session:
        for asset in session.scalars(select(Asset)):
            asset.uri = f"{folder}/../images/{asset.uri.removeprefix(str(folder))}"
            asset.asset_id = "kept " + asset.asset_id
    assert put_in(settings, folder).already_there == 6
    assert all(asset_id.startswith("kept ") for asset_id in held(settings))


def test_a_folder_whose_name_is_no_text_is_read(settings: Settings, folder: Path) -> None:
    odd = os.fsencode(folder) + b"/\xff\xfe"
    os.mkdir(odd)
    with open(odd + b"/x.png", "wb") as file:
        file.write(picture(7))
    with open(odd + b"/\xff.png", "wb") as file:
        file.write(picture(8))
    summary = put_in(settings, folder)
    assert summary.added == 7
    assert [(item, reason) for item, reason, _ in summary.refused] == [("\\xff\\xfe/\\xff.png", "bad name")]
    assert held(settings)["x.png"].isascii()
    assert image_sources.read(held(settings)["x.png"], "x") == picture(7)
    assert put_in(settings, folder).already_there == 7


@pytest.mark.parametrize("name", ["new\nline.png", "tab\t.png", "\x1b[31m.png"])
def test_names_with_invisible_signs_are_refused_by_name(settings: Settings, folder: Path, name: str) -> None:
    (folder / name).write_bytes(picture(7))
    summary = put_in(settings, folder)
    assert (summary.added, [reason for _, reason, _ in summary.refused]) == (6, ["bad name"])


@pytest.mark.parametrize("gone", [PermissionError(13, "x"), FileNotFoundError(2, "x")])
def test_a_folder_that_cannot_be_read_is_named(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch, gone: OSError
) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("/one"):
            raise type(gone)(gone.errno, gone.strerror, path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    summary = put_in(settings, folder)
    assert summary.added == 5
    assert [item for item, _, _ in summary.refused] == [str(folder / "one")]
    assert "Errno" not in summary.refused[0][2]


def test_a_pipe_that_takes_a_files_place_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(folder / "x.png")
    monkeypatch.setattr(image_sources, "kind", lambda uri: "")
    assert image_sources.read(str(folder / "x.png"), "x.png") == b""
    monkeypatch.undo()
    with pytest.raises(UnreadableItem, match="a named pipe"):
        image_sources.read(str(folder / "x.png"), "x.png")
