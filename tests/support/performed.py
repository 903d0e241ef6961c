"""Performance with an effect that is known: popular titles have the feature more often, so all in one pot is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attune.labeler.insights import features, imported, questions
from attune.labeler.performance import imports
from attune.labeler.settings import Settings


@dataclass(frozen=True)
class Files:
    """Files to import: performance, and a feature with the classes 1 and 0."""

    performance: str
    feature: str


def files(
    folder: Path, assets: list[tuple[str, str]], effect: float, canvases: tuple[str, ...] = ("home",), seed: int = 0
) -> Files:
    """Random rows of ``assets`` (asset_id, title_id): images with the feature are taken ``exp(effect)`` as often."""
    rng = np.random.default_rng(seed)
    titles = list(dict.fromkeys(title for _, title in assets))  # in this order: ids differ from run to run
    popular = dict(zip(titles, rng.normal(0, 0.5, len(titles)), strict=True))
    rows, values = ["asset_id,title_id,canvas,impressions,takes"], ["asset_id,value"]
    for asset, title in assets:
        has = int(rng.random() < 1 / (1 + np.exp(-2 * popular[title])))
        values.append(f"{asset},{has}")
        for canvas in canvases:
            rate = 0.03 * np.exp(popular[title] + effect * has + rng.normal(0, 0.05))
            rows.append(f"{asset},{title},{canvas},10000,{rng.binomial(10000, min(rate, 0.9))}")
    written = Files(str(folder / "takes.csv"), str(folder / "smiles.csv"))
    Path(written.performance).write_text("\n".join([*rows, ""]))
    Path(written.feature).write_text("\n".join([*values, ""]))
    return written


def names(titles: int, per_title: int = 4) -> list[tuple[str, str]]:
    """Ids of assets that have no image."""
    return [(f"a{title}-{one}", f"t{title}") for title in range(titles) for one in range(per_title)]


def bring(settings: Settings, made: Files, name: str = "smiles", arm: str = "explore", who: str = "olga") -> None:
    """Import both files, as the commands do."""
    imports.add(settings, made.performance, arm=arm, who=who)
    imported.add(settings, made.feature, name, who)
    questions.register_features(settings, features.known(settings), name, who)
