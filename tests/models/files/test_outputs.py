"""A file that a user names: what is there is respected, and what cannot be written says so and leaves nothing."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attune.models.errors import UnwritableFile
from attune.models.files import outputs
from attune.models.files.outputs import user_file, write_user_file

ROOT = os.geteuid() == 0
NEW = b"new" * 1000


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


def test_a_new_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    write_user_file(tmp_path / "a" / "b.csv", NEW)
    assert (tmp_path / "a" / "b.csv").read_bytes() == NEW
    assert mode(tmp_path / "a" / "b.csv") == 0o640


@pytest.mark.parametrize("kept", [0o600, 0o640, 0o664, 0o777])
def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")
    path.chmod(kept)
    inode = path.stat().st_ino
    write_user_file(path, NEW)
    assert (mode(path), path.read_bytes()) == (kept, NEW)
    assert path.stat().st_ino != inode, "replaced in one step, not rewritten"


@pytest.mark.skipif(not ROOT, reason="only root gives files away")
def test_root_leaves_a_file_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch()
    os.chown(path, 12345, 23456)
    write_user_file(path, NEW)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed_and_stays(tmp_path: Path, there: bool) -> None:
    (tmp_path / "far").mkdir()
    if there:
        (tmp_path / "far" / "real.csv").write_bytes(b"old")
    (tmp_path / "middle").symlink_to(tmp_path / "far" / "real.csv")
    (tmp_path / "link").symlink_to("middle")
    write_user_file(tmp_path / "link", NEW)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "middle").is_symlink()
    assert (tmp_path / "far" / "real.csv").read_bytes() == NEW
    assert not left_over(tmp_path) + left_over(tmp_path / "far")


def test_other_names_of_a_file_keep_its_old_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    os.link(tmp_path / "a", tmp_path / "backup")
    write_user_file(tmp_path / "a", NEW)
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "backup").read_bytes()) == (NEW, b"old")


@pytest.mark.parametrize("name", ["x" * 255, "\udcff.csv", "new\nline.csv", "~tmp.csv", "é" * 127])
def test_any_name_that_a_disk_takes_is_written(tmp_path: Path, name: str) -> None:
    write_user_file(tmp_path / name, NEW)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [NEW]


def test_a_pipe_is_written_to_once_it_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_user_file(tmp_path / "pipe", NEW * 100)
    reader.join(10)
    assert got == [NEW * 100]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_parquet_file_goes_through_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    table = pa.table({"a": list(range(1000))})
    with user_file(tmp_path / "pipe") as file:
        pq.write_table(table, file)
    reader.join(10)
    assert pq.read_table(pa.BufferReader(got[0])) == table


@pytest.mark.skipif(not ROOT, reason="needs root for mknod")
def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    os.mknod(tmp_path / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (tmp_path / "link").symlink_to("null")
    for name in ("null", "link"):
        write_user_file(tmp_path / name, NEW)
    assert stat.S_ISCHR((tmp_path / "null").stat().st_mode)


WRITE = "from attune.models.files.outputs import *; from pathlib import Path; print('a', flush=True); "
WRITE += "write_user_file(Path('/dev/stdout'), b'b' * 9 + b'\\n'); print(is_stdout(Path('/dev/stdout')))"


@pytest.mark.parametrize("to", ["pipe", "file", "appended"])
def test_stdout_gets_the_bytes_in_turn(tmp_path: Path, to: str) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    if to == "pipe":
        out = subprocess.run([sys.executable, "-c", WRITE], stdout=subprocess.PIPE, check=True).stdout.decode()
    else:
        with log.open("a" if to == "appended" else "w") as file:
            subprocess.run([sys.executable, "-c", WRITE], stdout=file, check=True)
        out = log.read_text()
    assert out == ("before\n" if to == "appended" else "") + "a\nbbbbbbbbb\nTrue\n"


# Paths at which nothing can be written, by why; below a temporary folder unless absolute.
NO_PLACE = {
    "a folder": "folder",
    "below a file": "file/x.csv",
    "deep below a file": "file/deep/x.csv",
    "a circle of links": "loop",
    "below a circle": "loop/x.csv",
    "a socket": "socket",
    "the system's own": "/proc/x.csv",
    "the system's own folder": "/proc/folder/x.csv",
    "a name too long": "x" * 256,
    "no name": "a\0b",
    "a full device": "/dev/full",
}


@pytest.mark.parametrize("why", NO_PLACE)
def test_where_nothing_can_be_written_a_sentence_says_so(tmp_path: Path, why: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket"))
    path = tmp_path / NO_PLACE[why]
    before = sorted(one.name for one in tmp_path.iterdir())
    with pytest.raises(UnwritableFile) as said:
        write_user_file(path, NEW)
    assert str(path) in str(said.value)
    assert "Errno" not in str(said.value)
    assert sorted(one.name for one in tmp_path.iterdir()) == before


def write_table(path: Path, table: pa.Table) -> None:
    with user_file(path) as file, pq.ParquetWriter(file, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_leaves_what_was_there(small_disk: Path, there: bool) -> None:
    path = small_disk / "a.parquet"
    if there:
        path.write_bytes(b"old")
    table = pa.table({"a": [os.urandom(64).hex() for _ in range(9000)]})
    with pytest.raises(UnwritableFile, match=r"a\.parquet was not written: the disk is full"):
        write_table(path, table)
    assert {one.name: one.read_bytes() for one in small_disk.iterdir()} == ({"a.parquet": b"old"} if there else {})


def test_a_disk_that_fills_at_the_last_step_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "x")

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(outputs.os, "fsync", full)
    with pytest.raises(UnwritableFile, match="the disk is full"):
        write_user_file(tmp_path / "a", NEW)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a": b"old"}


def test_an_error_of_the_block_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with suppress(KeyError), user_file(tmp_path / "a") as file:
        file.write(NEW)
        raise KeyError("x")
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a": b"old"}


@pytest.mark.parametrize("step", ["open", "replace"])
def test_a_file_that_cannot_be_replaced_is_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """As in a folder that takes no new files, or where the file is a mount point of a container."""
    path = tmp_path / "a"
    path.write_bytes(b"old" * 9999)
    inode = path.stat().st_ino
    real = os.open

    def refused(name: str, flags: int, *more: int, **named: int) -> int:
        if flags & os.O_EXCL and str(name).startswith(str(tmp_path)):
            raise PermissionError(errno.EACCES, "x")
        return real(name, flags, *more, **named)

    def busy(*_: object) -> None:
        raise OSError(errno.EBUSY, "x")

    monkeypatch.setattr(outputs.os, step, refused if step == "open" else busy)
    write_user_file(path, NEW)
    monkeypatch.undo()
    assert (path.read_bytes(), path.stat().st_ino, left_over(tmp_path)) == (NEW, inode, [])


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_what_the_user_made_read_only_stays(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o444)
    (tmp_path / "shut").mkdir(mode=0o555)
    for path in (tmp_path / "a", tmp_path / "shut" / "new"):
        with pytest.raises(UnwritableFile):
            write_user_file(path, NEW)
    assert (tmp_path / "a").read_bytes() == b"old"
