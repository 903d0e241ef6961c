"""What a browser or a zip calls a file never leads out of the folder, and no two files get one place."""

from __future__ import annotations

import posixpath
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attune.labeler.assets.upload_names import Places, is_hidden, safe_path

PARTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["..", ".", "/", "\\", "C:", "con", "NUL.txt", "a" * 300 + ".jpg", "\u202egpj.exe", "e\u0301", "\0", "\ud800"]
    ),
)
NAMES = st.lists(PARTS, max_size=12).map("/".join) | st.text(max_size=400)


@given(NAMES)
@example("../../etc/passwd")
@example("/etc/passwd")
@example("C:\\Users\\olga\\a.jpg")
@example("\\\\server\\share\\a.jpg")
@example("...")
@example("a/.. /b")
@example("con.tar.jpg")
def test_a_safe_path_stays_below_its_folder_and_suits_every_disk(name: str) -> None:
    path = safe_path(name)
    assert posixpath.normpath(path) == path
    assert not path.startswith(("/", ".."))
    assert not set(path) & set('\\:<>"|?*')
    for part in path.split("/"):
        assert part == part.strip()
        assert part
        assert not part.startswith(".")
        assert not part.endswith(".")
        assert len(part.encode()) <= 200
        assert part.partition(".")[0].rstrip().lower() not in {"con", "nul", "prn", "aux", "com1", "lpt9"}
        assert not any(unicodedata.category(sign).startswith("C") for sign in part)
    assert unicodedata.normalize("NFC", path) == path
    assert safe_path(path) == path, "a name that is safe stays"


@given(st.lists(NAMES, max_size=30))
def test_no_two_files_share_a_place_nor_does_a_file_stand_where_a_folder_is(names: list[str]) -> None:
    places = Places()
    found = [places.free(safe_path(name)).casefold() for name in names]
    assert len(set(found)) == len(names)
    folders = {"/".join(path.split("/")[:depth]) for path in found for depth in range(1, path.count("/") + 1)}
    assert not folders & set(found)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("posters/été.jpg", "posters/été.jpg"),
        ("posters/e\u0301te\u0301.jpg", "posters/été.jpg"),
        ("../../up.jpg", "up.jpg"),
        ("C:\\posters\\a.jpg", "posters/a.jpg"),
        ("what? a<b>.jpg", "what_ a_b_.jpg"),
        ("aux.jpg", "_aux.jpg"),
        ("", "image"),
    ],
)
def test_names_are_kept_as_far_as_they_can_be(name: str, kept: str) -> None:
    assert safe_path(name) == kept


def test_a_second_file_of_a_name_gets_a_number_also_where_only_capitals_differ() -> None:
    places = Places()
    assert [places.free(name) for name in ("a.jpg", "A.jpg", "a.jpg", "a (2).jpg", "b/c.jpg", "b")] == [
        "a.jpg", "A (2).jpg", "a (3).jpg", "a (2) (2).jpg", "b/c.jpg", "b (2)",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["__MACOSX/._a.jpg", ".DS_Store", "a/.git/b.jpg"])
def test_what_computers_put_beside_images_is_hidden(name: str) -> None:
    assert is_hidden(name)
    assert not is_hidden("../a.jpg")
