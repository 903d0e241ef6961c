"""Write the sample catalogue to a folder: pictures, a manifest, and the ground truth in a file of its own."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from attune.labeler.sample.latents import Scene, draw_scenes, romance_class, serious_class
from attune.models.errors import DataError

LONG_SIDE = 480
"""Pixels on the longer side of a picture."""
_MANIFEST = ("asset_id", "filename", "title_id", "kind", "title")
_TRUTH = (
    "asset_id",
    "title_id",
    "serious",
    "romance",
    "friendship",
    "people",
    "setting",
    "serious-expression",
    "romance_class",
)


@dataclass(frozen=True)
class Truth:
    """The latent values of one picture, each in 0-1, and how many people it shows."""

    asset_id: str
    title_id: str
    serious: float
    romance: float
    friendship: float
    people: int
    setting: str

    def value(self, attribute: str) -> str:
        """The true class of ``serious-expression`` or ``romance``; KeyError for another attribute."""
        return {
            "serious-expression": serious_class(self.serious, self.people),
            "romance": romance_class(self.romance, self.friendship),
        }[attribute]


@dataclass(frozen=True)
class Catalogue:
    """A written catalogue: its folder and the truth of each asset, in the manifest's order."""

    folder: Path
    truths: Mapping[str, Truth]

    @property
    def manifest(self) -> Path:
        """asset_id, filename (relative to the folder), title_id, kind, title."""
        return self.folder / "manifest.csv"

    @property
    def ground_truth(self) -> Path:
        """What was kept aside; nothing that learns may read it."""
        return self.folder / "ground_truth.csv"

    @classmethod
    def read(cls, folder: Path) -> Catalogue:
        """The catalogue that `write_catalogue` left in ``folder``; DataError where there is none."""
        path = folder / "ground_truth.csv"
        if not path.is_file():
            raise DataError(
                f"{folder} has no sample images: ground_truth.csv is missing. Create them: `python -m "
                "attune.labeler.sample.catalogue FOLDER`"
            )
        with path.open(newline="", encoding="utf-8") as lines:
            return cls(folder, {row["asset_id"]: _truth(row) for row in csv.DictReader(lines)})


def _truth(row: Mapping[str, str]) -> Truth:
    serious, romance, friendship = (float(row[name]) for name in ("serious", "romance", "friendship"))
    return Truth(row["asset_id"], row["title_id"], serious, romance, friendship, int(row["people"]), row["setting"])


def truth_of(scene: Scene) -> Truth:
    """The latent values of a scene, rounded as the file holds them."""
    serious, romance, friendship = (round(v, 4) for v in (scene.serious, scene.romance, scene.friendship))
    return Truth(scene.asset_id, scene.title.title_id, serious, romance, friendship, scene.people, scene.setting)


def _write_rows(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    temporary.replace(path)


def write_catalogue(
    folder: Path, n_images: int = 1600, seed: int = 7, progress: Callable[[int, int], None] | None = None
) -> Catalogue:
    """Draw ``n_images`` JPEGs into ``folder``/images, then manifest.csv and ground_truth.csv.

    The same seed gives the same bytes under one version of Pillow. ``progress`` is called with (done, n_images).
    Raises DataError where ``n_images`` is below 1.
    """
    if n_images < 1:
        raise DataError(f"n_images is {n_images}. Expected at least 1.")
    from attune.labeler.sample.compose import render

    (folder / "images").mkdir(parents=True, exist_ok=True)
    scenes = draw_scenes(seed, n_images)
    for done, scene in enumerate(scenes, start=1):
        path = folder / "images" / f"{scene.asset_id}.jpg"
        temporary = path.with_suffix(".part")
        render(scene, LONG_SIDE).save(temporary, format="JPEG", quality=88, subsampling=0)
        temporary.replace(path)
        if progress is not None:
            progress(done, n_images)
    catalogue = Catalogue(folder, {scene.asset_id: truth_of(scene) for scene in scenes})
    _write_rows(
        catalogue.manifest,
        _MANIFEST,
        ((s.asset_id, f"images/{s.asset_id}.jpg", s.title.title_id, s.kind, s.title.name) for s in scenes),
    )
    _write_rows(
        catalogue.ground_truth,
        _TRUTH,
        ((*astuple(t), t.value("serious-expression"), t.value("romance")) for t in catalogue.truths.values()),
    )
    return catalogue


def main() -> None:
    """Write a catalogue from the shell: folder, number of pictures, seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    catalogue = write_catalogue(args.folder, args.images, args.seed)
    print(f"{len(catalogue.truths)} images: {catalogue.manifest}")


if __name__ == "__main__":
    main()
