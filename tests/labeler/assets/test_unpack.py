"""Unpacking what was sent: nothing lands outside, limits hold as bytes come out, and the rest is taken."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from attune.labeler.assets import unpack as unpacking
from attune.labeler.assets.unpack import Unpacked, unpack
from attune.labeler.assets.uploads import Part
from attune.labeler.jobs.jobs import quiet
from attune.models.errors import DataError


def zipped(members: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda member: None) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            change(member)
            archive.writestr(member, content)
    return out.getvalue()


def taken(tmp_path: Path, **files: bytes) -> Unpacked:
    """Unpack ``files``, whose names have ``__`` for the dot."""
    parts = []
    for number, (name, content) in enumerate(files.items()):
        path = tmp_path / str(number)
        path.write_bytes(content)
        parts.append(Part(number, name.replace("__", "."), len(content), path))
    return unpack(parts, tmp_path / "out", quiet)


def found(done: Unpacked) -> list[str]:
    return sorted(str(path.relative_to(done.folder)) for path in done.folder.rglob("*") if path.is_file())


def reasons(done: Unpacked) -> list[str]:
    return [reason for _, reason, _ in done.refused]


def test_names_that_lead_out_of_a_zip_land_inside(tmp_path: Path) -> None:
    names = ["../../out.jpg", "/etc/abs.jpg", "C:\\windows\\w.jpg", "ok/../../../up.jpg", "good.jpg"]
    done = taken(tmp_path, posters__zip=zipped(dict.fromkeys(names, b"x")))
    assert found(done) == [
        "posters/etc/abs.jpg", "posters/good.jpg", "posters/ok/up.jpg", "posters/out.jpg", "posters/windows/w.jpg",
    ]  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {"0", "out"}


def test_links_and_devices_are_refused_by_name_and_the_rest_is_taken(tmp_path: Path) -> None:
    def change(member: zipfile.ZipInfo) -> None:
        kind = {"link.jpg": stat.S_IFLNK, "pipe.jpg": stat.S_IFIFO}.get(member.filename, stat.S_IFREG)
        member.external_attr = (kind | 0o777) << 16

    done = taken(tmp_path, a__zip=zipped({"link.jpg": b"/etc/passwd", "pipe.jpg": b"", "b.jpg": b"x"}, change))
    assert (reasons(done), found(done)) == (["a link", "a link"], ["a/b.jpg"])
    assert "link.jpg in a.zip" in done.refused[0][2]


def test_an_encrypted_file_and_an_archive_in_a_zip_are_refused_by_name(tmp_path: Path) -> None:
    content = bytearray(zipped({"secret.jpg": b"x" * 40}))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flags of both headers
        content[content.index(mark) + at] |= 1
    done = taken(tmp_path, a__zip=bytes(content), b__zip=zipped({"inner.ZIP": zipped({"x.jpg": b"x"}), "y.jpg": b"y"}))
    assert reasons(done) == ["encrypted", "an archive in a zip"]
    assert found(done) == ["b/y.jpg"]


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\5\6" + b"\0" * 10, zipped({"a.jpg": b"x" * 5000})[:-60]])
def test_what_is_no_zip_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    done = taken(tmp_path, bad__zip=content, good__jpg=b"x")
    assert (reasons(done), found(done)) == (["damaged zip"], ["good.jpg"])


def test_a_damaged_file_in_a_zip_costs_only_itself(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.jpg": bytes(range(256)) * 40, "b.jpg": b"fine"}))
    content[60] ^= 0xFF
    done = taken(tmp_path, a__zip=bytes(content))
    assert (reasons(done), found(done)) == (["damaged in the zip"], ["a/b.jpg"])


def test_a_bomb_is_stopped_as_it_unpacks_whatever_it_says_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "RATIO_FROM", 3 * 2**20)
    content = bytearray(zipped({"first.jpg": b"fine", "bomb.jpg": b"\0" * (9 * 2**20), "later.jpg": b"x"}))
    done = taken(tmp_path, bomb__zip=bytes(content), after__jpg=b"x")
    assert reasons(done) == ["unpacks to too much"]
    assert found(done) == ["after.jpg", "bomb/first.jpg"]
    assert done.written < 6 * 2**20, "it stopped long before the end"


def test_all_zips_of_an_upload_share_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_UNPACKED", 1000)
    some = {"1.jpg": b"x" * 400, "2.jpg": b"y" * 400}
    done = taken(tmp_path, a__zip=zipped(some), b__zip=zipped(some))
    assert (reasons(done), found(done)) == (["unpacks to too much"], ["a/1.jpg", "a/2.jpg"])


def test_too_many_files_and_a_file_too_large_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_FILES", 3)
    monkeypatch.setattr(unpacking, "MAX_BYTES", 10)
    done = taken(tmp_path, a__zip=zipped({"large.jpg": b"x" * 11} | {f"{n}.jpg": b"x" for n in range(9)}))
    assert (reasons(done), len(found(done))) == (["too large", "too many files"], 3)
    monkeypatch.setattr(unpacking, "DIRECTORY_BYTES", 50)
    assert reasons(taken(tmp_path, b__zip=zipped({"a.jpg": b"x", "b.jpg": b"x"}))) == ["too many files"]


def test_files_of_one_name_are_kept_apart_and_hidden_ones_passed_over(tmp_path: Path) -> None:
    done = taken(tmp_path, a__zip=zipped({"x.jpg": b"1", "X.jpg": b"2", "./x.jpg": b"3", "__MACOSX/._x.jpg": b"4"}))
    contents = {name: (done.folder / name).read_bytes() for name in found(done)}
    assert contents == {"a/x.jpg": b"1", "a/X (2).jpg": b"2", "a/x (3).jpg": b"3"}
    assert done.passed_over == 1


def test_nobody_else_can_read_what_was_unpacked(tmp_path: Path) -> None:
    done = taken(tmp_path, a__zip=zipped({"in/x.jpg": b"1"}))
    modes = {path.relative_to(done.folder).as_posix(): path.stat().st_mode & 0o777 for path in done.folder.rglob("*")}
    assert modes == {"a": 0o700, "a/in": 0o700, "a/in/x.jpg": 0o600}


def test_two_tables_stop_everything(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"2 tables: one\.csv, a/two\.parquet"):
        taken(tmp_path, one__csv=b"x", a__zip=zipped({"two.parquet": b"x"}))
