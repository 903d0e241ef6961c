"""Ids of a manifest that a program rewrote: 7.0 for 7 is put right, 1E+15 is named, and names stay names."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler.assets.asset_table import Manifest, read_manifest


def read(tmp_path: Path, content: str, name: str = "m.csv") -> Manifest:
    (tmp_path / name).write_text(content)
    return read_manifest(tmp_path / name, [str(tmp_path)])


def asset_ids(made: Manifest) -> list[str]:
    return [candidate.ids[0] for candidate in made.candidates]


def test_a_column_of_whole_numbers_is_read_so(tmp_path: Path) -> None:
    made = read(tmp_path, "asset_id,filename,title_id\n7.0,a.png,1.0\n8.00,b.png,\n,c.png,2.0\n")
    assert asset_ids(made) == ["7", "8", "c.png"]
    assert [candidate.title_id for candidate in made.candidates] == ["1", None, "2"]


@pytest.mark.parametrize("other", ["x", "7.5", "7"])
def test_one_name_keeps_the_column_as_it_is(tmp_path: Path, other: str) -> None:
    made = read(tmp_path, f"asset_id,filename\n8.0,a.png\n{other},b.png\n")
    assert asset_ids(made) == ["8.0", other]


def test_a_shortened_number_costs_its_row(tmp_path: Path) -> None:
    made = read(tmp_path, "asset_id,filename\n7.0,a.png\n1e15,b.png\n1E+15,c.png\n")
    assert asset_ids(made) == ["7"]
    assert [error.reason for _, error in made.refused] == ["shortened number"] * 2
    assert "format the column as text" in str(made.refused[0][1])


def test_a_name_that_looks_like_a_number_stays(tmp_path: Path) -> None:
    made = read(tmp_path, "asset_id,filename\n1e15,a.png\n1f15,b.png\n1E+15,c.png\n")
    assert asset_ids(made) == ["1e15", "1f15"]
    assert [place for place, _ in made.refused] == ["line 4"]


def test_stray_marks_swallow_no_image(tmp_path: Path) -> None:
    made = read(tmp_path, 'asset_id,filename,note\n7,a.png,"open\n8,b.png,5"\n')
    assert asset_ids(made) == ["7", "8"]


def test_columns_of_json_are_no_id(tmp_path: Path) -> None:
    made = read(tmp_path, '{"asset_id": {"0": "1"}, "filename": {"0": "a.png"}}', "m.json")
    ((_, error),) = made.refused
    assert (made.candidates, error.reason) == ([], "no file")
    assert "filename" in str(error)
    assert "for an id" not in str(error)
