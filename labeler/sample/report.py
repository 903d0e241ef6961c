"""What the sample encoder and a linear probe know of its attributes: ``python -m attune.labeler.sample.report``.

Average precision on held-out titles, against the ground truth, macro over classes where there are three; intervals by
resampling titles.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.labeler.sample import ATTRIBUTES, ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS, SampleAttribute
from attune.labeler.sample.catalogue import Catalogue, write_catalogue
from attune.labeler.sample.simulated_experts import SKIP, UNSURE, stock_experts
from attune.models.evaluation.intervals import percentile_interval, title_draws
from attune.models.evaluation.metrics import average_precisions
from attune.models.evaluation.splits import held_out
from attune.models.probes.probe import Probe

Vectors = npt.NDArray[np.float32]
HELD_OUT = 0.4
RAW_SIDE = 32


def load_encoder(weights: Path = ENCODER_WEIGHTS, config: Path = ENCODER_CONFIG) -> tuple[Any, Any, Any]:
    """The model, its preprocessing and its tokenizer, as open_clip loads any checkpoint."""
    import open_clip

    open_clip.add_model_config(config)
    model, _, preprocess = open_clip.create_model_and_transforms(
        config.stem, pretrained=str(weights), image_resize_mode=ENCODER_RESIZE_MODE
    )
    return model.eval(), preprocess, open_clip.get_tokenizer(config.stem)


def embed(catalogue: Catalogue, encoder: tuple[Any, Any, Any], batch: int = 128) -> tuple[Vectors, Vectors]:
    """Unit-length embeddings float32 (n, d) and raw pixels float32 (n, 32 * 32 * 3) of every picture, in order."""
    import torch
    from PIL import Image

    model, preprocess, _ = encoder
    augmented, raw, waiting = [], [], []
    for asset_id in catalogue.truths:
        with Image.open(catalogue.folder / "images" / f"{asset_id}.jpg") as picture:
            picture.load()
            waiting.append(preprocess(picture))
            raw.append(np.asarray(picture.resize((RAW_SIDE, RAW_SIDE)), dtype=np.float32).ravel() / 255)
        if len(waiting) == batch or len(raw) == len(catalogue.truths):
            with torch.inference_mode():
                augmented.append(model.encode_image(torch.stack(waiting), normalize=True).numpy())
            waiting = []
    return np.concatenate(augmented).astype(np.float32), np.stack(raw)


def prompt_scores(vectors: Vectors, attribute: SampleAttribute, encoder: tuple[Any, Any, Any]) -> npt.NDArray[Any]:
    """Zero-shot scores (n, classes): likeness to a class's prompts less the mean over the other classes'."""
    import torch

    model, _, tokenizer = encoder
    means = []
    for name in attribute.classes:
        with torch.inference_mode():
            means.append(
                model.encode_text(tokenizer(list(attribute.prompts[name])), normalize=True).numpy().mean(axis=0)
            )
    likeness = vectors @ np.stack(means).T
    others = (likeness.sum(axis=1, keepdims=True) - likeness) / (len(means) - 1)
    return np.asarray(likeness - others)


def macro_ap(
    classes: Sequence[str], truth: npt.NDArray[Any], scores: npt.NDArray[Any], titles: Sequence[str]
) -> tuple[float, float, float]:
    """Average precision with its 95 % interval: of the first of two classes, or the mean over three."""
    rng = np.random.default_rng(0)
    weights = np.vstack([np.ones(len(truth)), title_draws(titles, rng)])
    counted = classes[:1] if len(classes) == 2 else classes
    per_class = [
        average_precisions((truth == c).astype(np.float64), scores[:, i].astype(np.float64), weights)
        for i, c in enumerate(counted)
    ]
    values = np.mean(per_class, axis=0)
    return (float(values[0]), *percentile_interval(values[1:], float(values[0])))


def probe_scores(
    features: Vectors, labels: npt.NDArray[Any], classes: Sequence[str], test: Vectors, strength: float | None = None
) -> npt.NDArray[Any]:
    """Probabilities (n, classes) on ``test`` of the project's own probe, fitted on ``features``."""
    return np.asarray(Probe(classes=list(classes), strength=strength).fit(features, labels).predict_proba(test))


def expert_answers(
    catalogue: Catalogue, attribute: SampleAttribute, rows: npt.NDArray[Any], n: int, seed: int
) -> tuple[list[int], list[str]]:
    """``n`` answers of the three experts in turn about random rows; unsure counts as asked, skip does not."""
    ids, experts = list(catalogue.truths), stock_experts(catalogue)
    kept, answers, requested = [], [], 0
    for row in np.random.default_rng([seed, 17]).permutation(rows):
        answer = experts[requested % 3].answer(attribute.name, ids[row])
        requested += answer != SKIP
        if answer not in (SKIP, UNSURE):
            kept.append(int(row))
            answers.append(answer)
        if requested == n:
            break
    return kept, answers


def disagreement(catalogue: Catalogue, attribute: SampleAttribute) -> float:
    """Share of assets, averaged over pairs of experts, on which two who both chose a class chose differently."""
    experts = stock_experts(catalogue)
    answers = [[e.answer(attribute.name, asset) for asset in catalogue.truths] for e in experts]
    apart = []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        both = [(x, y) for x, y in zip(answers[a], answers[b], strict=True) if not {x, y} & {UNSURE, SKIP}]
        apart.append(np.mean([x != y for x, y in both]))
    return float(np.mean(apart))


def measure(
    catalogue: Catalogue,
    attribute: SampleAttribute,
    vectors: Vectors,
    raw: Vectors,
    encoder: tuple[Any, Any, Any],
    answers: int = 100,
    draws: int = 10,
) -> dict[str, Any]:
    """Every figure of one attribute."""
    truths = list(catalogue.truths.values())
    titles = np.array([t.title_id for t in truths])
    truth = np.array([t.value(attribute.name) for t in truths])
    test = held_out(titles, 7, HELD_OUT, "sample-report")
    train, classes = np.flatnonzero(~test), attribute.classes

    def ap(scores: npt.NDArray[Any]) -> list[float]:
        return [round(v, 3) for v in macro_ap(classes, truth[test], scores, titles[test].tolist())]

    few = []
    for draw in range(draws):
        rows, labels = expert_answers(catalogue, attribute, train, answers, draw)
        few.append(ap(probe_scores(vectors[rows], np.array(labels), classes, vectors[test])))
    return {
        "attribute": attribute.name,
        "n_test": int(test.sum()),
        "titles_test": len(set(titles[test])),
        "shares": {c: round(float((truth == c).mean()), 3) for c in classes},
        "disagreement": round(disagreement(catalogue, attribute), 3),
        "prompts": ap(prompt_scores(vectors[test], attribute, encoder)),
        "raw_pixels": ap(probe_scores(raw[train], truth[train], classes, raw[test], 0.01)),
        "all_labels": ap(probe_scores(vectors[train], truth[train], classes, vectors[test])),
        f"answers_{answers}": [round(float(v), 3) for v in np.mean(few, axis=0)],
        f"answers_{answers}_worst": min(few)[0],
    }


def main() -> None:
    """Draw (or read) the catalogue, embed it, print one line of JSON per attribute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, help="folder of existing sample images; default: draw them to a temporary folder"
    )
    parser.add_argument("--images", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--weights", type=Path, default=ENCODER_WEIGHTS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        there = args.folder is not None and (args.folder / "ground_truth.csv").is_file()
        folder = args.folder or Path(scratch)
        catalogue = Catalogue.read(folder) if there else write_catalogue(folder, args.images, args.seed)
        encoder = load_encoder(args.weights)
        vectors, raw = embed(catalogue, encoder)
    for attribute in ATTRIBUTES:
        print(json.dumps(measure(catalogue, attribute, vectors, raw, encoder)))
    print(
        json.dumps({"images": len(vectors), "seed": args.seed, "cores": os.cpu_count(), "machine": platform.machine()})
    )


if __name__ == "__main__":
    main()
