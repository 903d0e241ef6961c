"""A file that a user names is read whole, from a pipe too, and a device is refused."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from models.errors import UnreadableItem
from models.inputs import read_user_file


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
