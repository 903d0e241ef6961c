"""A file that a user names is read whole, from a pipe too, and a device is refused."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from attune.models.errors import UnreadableItem
from attune.models.files.inputs import check_regular, read_user_file
from attune.models.reasons import reason
from attune.models.vectors.vector_batches import VectorStream


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"x" * 200_000))
    writer.start()
    assert len(read_user_file(tmp_path / "pipe")) == 200_000
    writer.join()


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/full", "gone", ".", "a\0b"])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableItem) as said:
        read_user_file(tmp_path / name)
    assert str(tmp_path / name) in str(said.value)
    assert "Errno" not in str(said.value)


def test_a_pipe_of_vectors_is_refused_unopened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "v.npz")
    with pytest.raises(UnreadableItem, match="is a pipe"):
        VectorStream(tmp_path / "v.npz")


def test_a_shells_pipe_of_vectors_is_refused(tmp_path: Path) -> None:
    out, into = os.pipe()
    try:
        with pytest.raises(UnreadableItem) as said:
            VectorStream(Path(f"/dev/fd/{out}"))
    finally:
        os.close(out)
        os.close(into)
    assert said.value.reason == "a pipe"


@pytest.mark.parametrize(("name", "kind"), [("/dev/zero", "a device"), ("gone", "cannot be read")])
def test_what_is_no_regular_file_is_named(tmp_path: Path, name: str, kind: str) -> None:
    with pytest.raises(UnreadableItem) as said:
        check_regular(tmp_path / name, "The vectors")
    assert said.value.reason == kind


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("embedded null byte"), "character"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), "character"),
        (ValueError("I/O operation on closed file"), "cannot be read"),
    ],
)
def test_only_paths_with_odd_characters_are_blamed(error: ValueError, words: str) -> None:
    assert words in reason(error)
