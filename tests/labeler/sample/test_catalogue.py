"""The written catalogue: complete, readable, the same from the same seed, and silent about its ground truth."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from attune.labeler.sample import ATTRIBUTES, write_catalogue
from attune.labeler.sample.catalogue import Catalogue
from attune.models.errors import DataError


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return write_catalogue(tmp_path_factory.mktemp("catalogue"), n_images=24, seed=3)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_every_row_of_the_manifest_names_a_readable_picture(catalogue: Catalogue) -> None:
    rows = _rows(catalogue.manifest)
    assert len(rows) == len({row["asset_id"] for row in rows}) == 24
    for row in rows:
        with Image.open(catalogue.folder / row["filename"]) as picture:
            assert picture.size == {"poster": (320, 480), "wide": (480, 270)}[row["kind"]]
            assert picture.mode == "RGB"


def test_the_manifest_keeps_the_latent_values_to_itself(catalogue: Catalogue) -> None:
    assert set(_rows(catalogue.manifest)[0]) == {"asset_id", "filename", "title_id", "kind", "title"}


def test_a_catalogue_reads_back_as_it_was_written(catalogue: Catalogue) -> None:
    assert Catalogue.read(catalogue.folder).truths == catalogue.truths


def test_the_ground_truth_holds_a_class_of_every_attribute(catalogue: Catalogue) -> None:
    classes = {attribute.name: set(attribute.classes) for attribute in ATTRIBUTES}
    for row in _rows(catalogue.ground_truth):
        assert row["serious-expression"] in classes["serious-expression"]
        assert row["romance_class"] in classes["romance"]


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_bytes(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    first, second = (write_catalogue(tmp_path_factory.mktemp("seed"), n_images=3, seed=seed).folder for _ in range(2))
    names = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert [(first / n).read_bytes() for n in names] == [(second / n).read_bytes() for n in names]
    assert len(names) == 5


def test_another_seed_gives_other_pictures(tmp_path: Path) -> None:
    one, other = (write_catalogue(tmp_path / str(seed), n_images=2, seed=seed) for seed in (1, 2))
    assert (one.folder / "images/t0000-1.jpg").read_bytes() != (other.folder / "images/t0000-1.jpg").read_bytes()


def test_progress_counts_every_picture(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_catalogue(tmp_path, n_images=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_an_empty_catalogue_is_refused_with_the_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="n_images is 0"):
        write_catalogue(tmp_path, n_images=0)


def test_a_folder_without_a_catalogue_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"python -m attune\.labeler\.sample\.catalogue"):
        Catalogue.read(tmp_path)


def test_importing_the_sample_loads_neither_pillow_nor_torch() -> None:
    code = "import sys, attune.labeler.sample; sys.exit(bool({'PIL', 'torch', 'open_clip'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
