"""Train the sample encoder on drawings and captions: ``python -m attune.labeler.sample.train``.

A small CLIP (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision") of
open_clip's own classes: a ResNet with attention pooling and a text transformer, stock tokenizer. It sees drawings of
seeds that the catalogue never uses, and their captions; it sees no latent value and no class. A second, linear
head that is thrown away afterwards predicts the caption's words (Joulin et al. 2016, "Learning Visual Features from
Large Weakly Supervised Data"): on so few pictures the contrast alone learns settings long before it learns faces.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch.multiprocessing
from torch import distributed

from attune.labeler.sample import ENCODER_WEIGHTS
from attune.labeler.sample.training import Plan, train
from attune.labeler.sample.training_set import Pixels, draw_training_set


def _train_share(rank: int, processes: int, folder: str, plan: Plan, to: Path) -> None:
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=processes)
    pixels = np.load(Path(folder) / "pixels.npy", mmap_mode="r")
    captions = json.loads((Path(folder) / "captions.json").read_text(encoding="utf-8"))
    model = train(pixels, captions, plan, share=(rank, processes))
    if rank == 0:
        save(model, to)
    distributed.destroy_process_group()


def train_together(pixels: Pixels, captions: list[list[str]], plan: Plan, to: Path, processes: int = 2) -> None:
    """Train one model in several processes of one thread each, and write it to ``to``.

    Convolutions this small gain nothing from a second thread; a second process nearly halves the time.
    """
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "pixels.npy", pixels)
        (Path(folder) / "captions.json").write_text(json.dumps(captions), encoding="utf-8")
        torch.multiprocessing.spawn(  # type: ignore[attr-defined, no-untyped-call]
            _train_share, (processes, folder, plan, to), nprocs=processes
        )


def save(model: Any, path: Path) -> int:
    """Write the weights as float16 safetensors, aside and then renamed; returns the size in bytes."""
    from safetensors.torch import save_file

    state = {k: (v.half() if v.is_floating_point() else v).contiguous().clone() for k, v in model.state_dict().items()}
    temporary = path.with_name(path.name + ".part")
    save_file(state, temporary, metadata={"format": "pt"})
    os.replace(temporary, path)
    return path.stat().st_size


def main() -> None:
    """Draw, train, write the weights, print a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=Plan.images)
    parser.add_argument("--epochs", type=int, default=Plan.epochs)
    parser.add_argument("--processes", type=int, default=2, help="number of processes; default: one per free core")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--to", type=Path, default=ENCODER_WEIGHTS)
    args = parser.parse_args()
    plan = Plan(images=args.images, epochs=args.epochs, seed=args.seed)
    started = time.perf_counter()
    pixels, captions = draw_training_set(plan.images, plan.seed, args.processes)
    drawing_seconds = time.perf_counter() - started
    train_together(pixels, captions, plan, args.to, args.processes)
    seconds = round(time.perf_counter() - started)
    print(
        json.dumps(
            {
                "images": len(pixels),
                "drawn_s": round(drawing_seconds),
                "seconds": seconds,
                "bytes": args.to.stat().st_size,
            }
        )
    )


if __name__ == "__main__":
    main()
