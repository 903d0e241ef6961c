"""A space's folder reads back, and says what is wrong where it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from attune.models.errors import DataError, DigestMismatch
from attune.models.similarity.space_files import FILE_NAME, MANIFEST_NAME, LearnedSpace, space_bytes
from attune.models.similarity.space_folder import SpaceFacts, read_folder, write_folder

SPACE = LearnedSpace(*(np.float32(part) for part in (np.zeros(3), np.eye(3), np.eye(2, 3), [0.2, 0.1])))  # type: ignore[arg-type]
FACTS = SpaceFacts(
    {"name": "clip"}, "genre", ("drama", "crime"), 40, 7, {"alpha": 36.0}, ({"alpha": 36.0, "gain": 0.1},)
)


def test_a_folder_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_folder(tmp_path, SPACE, FACTS)
    space, facts = read_folder(tmp_path)
    assert facts == FACTS
    assert space_bytes(space) == space_bytes(SPACE)


def test_other_bytes_than_stated_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, SPACE, FACTS)
    other = LearnedSpace(SPACE.mean + 1, SPACE.components, SPACE.projection, SPACE.blend)
    (tmp_path / FILE_NAME).write_bytes(space_bytes(other))
    with pytest.raises(DigestMismatch, match=FILE_NAME):
        read_folder(tmp_path)


@pytest.mark.parametrize("manifest", [None, b"{", b"[]", b"{}", b'{"files": {"space.safetensors": {"sha256": ""}}}'])
def test_a_folder_without_a_space_says_what_belongs_there(manifest: bytes | None, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(space_bytes(SPACE))
    if manifest is not None:
        (tmp_path / MANIFEST_NAME).write_bytes(manifest)
    with pytest.raises(DataError, match="Pull the space again"):
        read_folder(tmp_path)


def test_a_space_is_read_and_applied_with_numpy_alone(tmp_path: Path) -> None:
    write_folder(tmp_path, SPACE, FACTS)
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from attune.models.similarity.neighbour_measures import measure_lists\n"
        "from attune.models.similarity.space_folder import read_folder\n"
        "space, _ = read_folder(Path(sys.argv[1]))\n"
        "print(space.vectors(np.eye(3)).shape)\n"
        "assert not {'torch', 'sklearn', 'scipy', 'pytorch_metric_learning'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == "(3, 5)\n", done.stderr
