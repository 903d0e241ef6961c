"""Fine-tuning the whole way on the sample's images: ``python -m benchmarks.fine_tune --images 1600 --json OUT``.

The sample's titles get weak labels, as genres are: who its cast are to each other, its mood and where it plays. These
are drawn on most of a title's images, not on all. Images are added and embedded as `attune assets add` does, and the
job of `attune spaces learn taste --fine-tune` runs once for each of ``--blocks`` and seeds. Figures are of titles that
nothing was learned or chosen from. The sample's encoder knows such drawings alone: the figures test the way, and say
little of posters.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.assets import add
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import migrate, writing
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS, write_catalogue
from attune.labeler.sample.latents import Title, draw_scenes
from attune.labeler.settings import Settings
from attune.workers.jobs import fine_tune
from benchmarks.machine import machine

SEED = 7  # of the catalogue
TIES = {"lovers": "romance", "friends": "friendship", "rivals": "thriller"}
PLACES = {"space": "science fiction", "desert": "western", "forest": "adventure", "mountains": "adventure"}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1600)
    parser.add_argument("--blocks", default="2,0", help="numbers of last blocks, 0 for all")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="the usual settings, nothing is tuned")
    parser.add_argument("--folder", type=Path, help="keep the drawings and their vectors here, or take those there")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-fine-tune-") as folder:
        settings = sample_pool(options.folder or Path(folder), options.images)
        runs: list[dict[str, Any]] = []
        for blocks in map(int, options.blocks.split(",")):
            for seed in range(options.seeds):
                runs.append(one_run(settings, blocks, options.epochs, seed, not options.quick))
                found = {"images": options.images, "runs": runs, "machine": machine()}
                found["load"] = round(os.getloadavg()[0], 1)
                if options.json:  # after each, as they take long
                    options.json.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


def sample_pool(folder: Path, images: int) -> Settings:
    """A workspace with ``images`` drawings in it, embedded by the sample's encoder, and a column genre."""
    settings = reader.build(
        {}, workspace=folder / "workspace", encoder=str(ENCODER_CONFIG), pretrained=str(ENCODER_WEIGHTS),
        resize_mode=ENCODER_RESIZE_MODE,
    )  # fmt: skip
    if settings.workspace.is_dir():
        return settings
    settings.workspace.mkdir(parents=True)
    migrate(settings)
    catalogue = write_catalogue(folder / "sample", images, SEED)
    add.add(settings, add.Request([str(catalogue.folder)], manifest=catalogue.manifest))
    named = {scene.asset_id: "|".join(genres(scene.title)) for scene in draw_scenes(SEED, images)}
    with writing(settings) as session:
        for asset in session.scalars(select(Asset)):
            asset.columns = {**(asset.columns or {}), "genre": named[asset.asset_id]}
    return settings


def genres(title: Title) -> list[str]:
    """What a list of films would say of the title."""
    mood = ["comedy"] if title.mood < 0.35 else ["drama"] if title.mood > 0.65 else []
    tie = [TIES[title.tie]] if title.tie in TIES else []
    return sorted({*mood, *tie, *(PLACES[place] for place in title.settings if place in PLACES)})


def one_run(settings: Settings, blocks: int, epochs: int, seed: int, tuned: bool) -> dict[str, Any]:
    """What the job says, and the processor's seconds that it took."""
    began, clock = time.process_time(), time.perf_counter()
    done = fine_tune.run(settings, blocks=blocks, epochs=epochs, seed=seed, tuned=tuned)
    took = {
        "processor_seconds": round(time.process_time() - began, 1),
        "seconds": round(time.perf_counter() - clock, 1),
    }
    return {"blocks": blocks, "seed": seed, "epochs_at_most": epochs, "tuned": tuned} | done | took


if __name__ == "__main__":
    main()
