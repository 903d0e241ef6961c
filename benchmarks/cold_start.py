"""What is a phrase worth? Test average precision at 0, 10, 20 and 50 answers on the sample catalogue.

    python -m benchmarks.cold_start --seeds 5 --json benchmarks/results/cold_start.json

The sample encoder has a text tower, so questions can begin with phrases. Compared from the first answer on: Attune with
phrases, with three example images, with nothing, and with the probes of the other questions published (each made from
200 answers that nobody else has a use for); Video Annotator's beginning (half of the images nearest to the phrase, half
random, its cross-validated logistic regression; arXiv 2402.06560); random images with the same classifier. Ground truth
answers; test titles are held apart. The phrases have three wordings each, because the encoder's zero-shot figure
depends on them; methods without phrases see each campaign once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from attune.labeler.sample.catalogue import Catalogue, Truth, write_catalogue
from attune.labeler.sample.report import embed, load_encoder
from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.metrics import average_precision
from attune.models.evaluation.splits import held_out
from attune.models.files.atomic import write_bytes
from attune.models.labels.labels import Labels
from attune.models.probes.learner import LearnerSettings, Prompts, fit, plan
from attune.models.vectors.pool import Pool
from benchmarks.label_efficiency.classifiers import cross_validated, published_heads
from benchmarks.machine import machine

CLASSES = ("yes", "no")
COUNTS = (0, 10, 20, 50)
STEP = 10  # answers between two fits; the product fits after each
EXAMPLES = 3
PUBLISHED = 200  # answers that each published probe was made from
TEST_SHARE = 0.4
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Question:
    """A latent attribute: when it is true of a picture, and three wordings of phrases for and against it."""

    name: str
    holds: Callable[[Truth], bool]
    wordings: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


QUESTIONS = (
    Question(
        "serious-expression",
        lambda truth: truth.value("serious-expression") == "serious",
        (
            (("a serious face",), ("a funny face",)),
            (("serious", "a serious story"), ("a comedy", "light-hearted")),
            (("people who frown", "unsmiling people"), ("people who smile", "laughing people")),
        ),
    ),
    Question(
        "romance",
        lambda truth: truth.value("romance") == "romance",
        (
            (("a romance",), ("a story of friendship", "nothing between them")),
            (("two people in love", "a romance"), ("good friends", "two enemies")),
            (("hugging", "heads touching"), ("a high five", "standing apart")),
        ),
    ),
    Question(
        "friendship",
        lambda truth: truth.value("romance") == "friendship",
        (
            (("a story of friendship",), ("a love story", "a story of strangers")),
            (("good friends", "a buddy film"), ("a romance", "two enemies")),
            (("an arm around a shoulder", "a high five"), ("hugging", "standing apart")),
        ),
    ),
    Question(
        "group",
        lambda truth: truth.people >= 3,
        (
            (("a group of people",), ("one person", "two people")),
            (("three people", "four people"), ("a person", "a pair")),
            (("many people together",), ("somebody alone", "nobody")),
        ),
    ),
    Question(
        "outdoors-in-nature",
        lambda truth: truth.setting in ("beach", "forest", "mountains", "desert", "garden"),
        (
            (("in a landscape", "outdoors in nature"), ("in a room", "in the city")),
            (("in a forest", "by the sea", "in the mountains"), ("on a stage", "in space")),
            (("nature",), ("indoors", "a pattern")),
        ),
    ),
    Question(
        "at-night-in-town",
        lambda truth: truth.setting == "city",
        (
            (("in the city",), ("in a forest", "in a room")),
            (("before a skyline", "among towers with lit windows"), ("on a beach", "on a stage")),
            (("a town with tall buildings",), ("a landscape", "indoors")),
        ),
    ),
)


@dataclass(frozen=True, eq=False)
class World:
    """One question over the catalogue: the pool, its truth (n,), the test vectors and their truth, and the phrases'
    vectors in each wording."""

    pool: Pool
    y: npt.NDArray[np.bool_]
    test: Floats
    test_y: npt.NDArray[np.bool_]
    phrases: tuple[tuple[Floats, Floats], ...]
    others: npt.NDArray[np.bool_]  # (m, n) the pool's truth of the other questions

    def labels(self, rows: Sequence[int]) -> Labels:
        """True answers on ``rows``."""
        index = np.asarray(rows, dtype=np.intp)
        shares = np.stack([self.y[index], ~self.y[index]], axis=1).astype(np.float64).reshape(-1, 2)
        ids, titles = self.pool.asset_ids[index].tolist(), self.pool.title_ids[index].tolist()
        return Labels(tuple(ids), tuple(titles), shares, np.ones(len(index)))


@dataclass(frozen=True, eq=False)
class _Fitted:
    """What the peers' classifiers ask of a campaign's state."""

    x: Floats
    y: Ints


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=1600, help="of the sample catalogue")
    parser.add_argument("--questions", default=",".join(one.name for one in QUESTIONS), help="with commas")
    parser.add_argument("--folder", type=Path, help="a sample catalogue already written")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    wanted = [one for one in QUESTIONS if one.name in asked.questions.split(",")]
    with tempfile.TemporaryDirectory() as scratch:
        held = asked.folder is not None and (asked.folder / "ground_truth.csv").is_file()
        folder = asked.folder or Path(scratch)
        catalogue = Catalogue.read(folder) if held else write_catalogue(folder, asked.images)
        rows = [row for one in worlds(catalogue, wanted) for row in _rows(*one, asked.seeds)]
    result = {"rows": rows, "summary": summarise(rows), "seeds": asked.seeds, "machine": machine()}
    _show(result["summary"])
    if asked.json:
        lines = ",\n  ".join(json.dumps(row) for row in rows)
        head = {key: value for key, value in result.items() if key != "rows"}
        write_bytes(asked.json, (json.dumps(head, indent=1)[:-2] + f',\n "rows": [\n  {lines}\n ]\n}}\n').encode())
    return result


def worlds(catalogue: Catalogue, wanted: Sequence[Question]) -> Iterator[tuple[Question, World]]:
    """Every question with its world; the pictures are embedded once."""
    import torch

    model, preprocess, tokenizer = load_encoder()
    vectors, _ = embed(catalogue, (model, preprocess, tokenizer))
    ids = np.array(list(catalogue.truths))
    titles = np.array([truth.title_id for truth in catalogue.truths.values()])
    test = held_out(titles, 11, TEST_SHARE, "cold-start")

    def encoded(texts: Sequence[str]) -> Floats:
        with torch.inference_mode():
            return np.asarray(model.encode_text(tokenizer(list(texts)), normalize=True).numpy(), dtype=np.float32)

    pool = Pool(ids[~test], titles[~test], (vectors[~test],))
    held = {one.name: np.array([one.holds(truth) for truth in catalogue.truths.values()]) for one in QUESTIONS}
    for question in wanted:
        y = held[question.name]
        others = np.stack([truth[~test] for name, truth in held.items() if name != question.name])
        phrases = tuple((encoded(positive), encoded(negative)) for positive, negative in question.wordings)
        yield question, World(pool, y[~test], vectors[test], y[test], phrases, others)


def _rows(question: Question, world: World, seeds: int) -> Iterator[dict[str, Any]]:
    for seed in range(seeds):
        for method, wording, campaign in campaigns(world, seed):
            for answers, value in campaign:
                yield {
                    "attribute": question.name, "seed": seed, "method": method, "wording": wording,
                    "answers": answers, "average_precision": round(value, 4),
                }  # fmt: skip


def campaigns(world: World, seed: int) -> Iterator[tuple[str, int | None, Iterator[tuple[int, float]]]]:
    """Every method's campaign of one seed: its name, the wording (None: it has no phrases), the curve."""
    heads = published_heads(world.pool, world.others, PUBLISHED, np.random.default_rng([seed, 9]))
    for wording, (positive, negative) in enumerate(world.phrases):
        prompts = Prompts(positive=positive, negative=negative)
        yield "attune, phrases", wording, attune(world, seed, prompts)
        leaning = Prompts(positive=positive, negative=negative, relatives=heads)
        yield "attune, phrases, published", wording, attune(world, seed, leaning)
        yield "half nearest, half random", wording, half_and_half(world, seed, positive)
    rng = np.random.default_rng([seed, 3])
    chosen = rng.choice(np.flatnonzero(world.y), EXAMPLES, replace=False)
    examples = Prompts(examples={"yes": world.pool.rows(chosen)})
    yield "attune, 3 examples", None, attune(world, seed, examples, set(world.pool.title_ids[chosen].tolist()))
    yield "attune, nothing", None, attune(world, seed, None)
    yield "attune, published", None, attune(world, seed, Prompts(relatives=heads))
    yield "random", None, half_and_half(world, seed, None)


def attune(
    world: World, seed: int, prompts: Prompts | None, without: set[str] | None = None
) -> Iterator[tuple[int, float]]:
    """The product's learner with its default settings; its audits count as answers. ``without``: titles not to ask."""
    settings, design = LearnerSettings(), AuditDesign(seed)
    asked: list[int] = []
    gone = np.flatnonzero(np.isin(world.pool.title_ids, list(without or ())))
    while True:
        labels = world.labels(asked)
        probe = fit(world.pool, labels, CLASSES, prompts, settings, seed)
        if len(asked) in COUNTS:
            yield len(asked), _ap(world, probe.predict_proba(world.test)[:, 0])
        if len(asked) >= COUNTS[-1]:
            return
        asks = plan(world.pool, probe, labels, asked, STEP, settings, seed, prompts=prompts, audit=design, hidden=gone)
        asked += [ask.index for ask in asks]


def half_and_half(world: World, seed: int, phrase: Floats | None) -> Iterator[tuple[int, float]]:
    """Half of the images nearest to the phrase's mean, half random (all random without one); at 0 the likeness itself.

    The classifier is Video Annotator's; before both classes were met, or too few for its folds, the ranking stays the
    likeness, or chance.
    """
    rng = np.random.default_rng([seed, 5])
    mean = None if phrase is None else phrase.mean(axis=0)
    nearest = [] if mean is None else np.argsort(-world.pool.rows(np.arange(len(world.pool))) @ mean).tolist()
    shuffled = rng.permutation(len(world.pool)).tolist()
    asked: list[int] = []
    for count in COUNTS:
        while len(asked) < count:
            source = nearest if nearest and len(asked) % 2 == 0 else shuffled
            asked.append(next(row for row in source if row not in asked))
        yield count, _ap(world, _peer_scores(world, asked, mean))


def _peer_scores(world: World, asked: list[int], mean: Floats | None) -> npt.NDArray[Any] | None:
    y = world.y[asked].astype(np.intp)
    if len(asked) and min(y.sum(), len(y) - y.sum()) >= 2:
        model = cross_validated(_Fitted(world.pool.rows(asked), y))  # type: ignore[arg-type]
        return np.asarray(model.decision_function(world.test))
    return None if mean is None else np.asarray(world.test @ mean)


def _ap(world: World, scores: npt.NDArray[Any] | None) -> float:
    """Average precision on the test titles; the share of positives, which is chance's, where nothing ranks yet."""
    return float(world.test_y.mean()) if scores is None else average_precision(world.test_y, scores)


def summarise(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean over attributes, seeds and wordings by method and count, with the standard error over campaigns' means.

    ``worst_wording`` and ``best_wording``: means of the wording that does worst and best, attribute by attribute.
    """
    summary = []
    for method in dict.fromkeys(row["method"] for row in rows):
        for answers in COUNTS:
            mine = [row for row in rows if (row["method"], row["answers"]) == (method, answers)]
            summary.append({"method": method, "answers": answers, **_means(mine)})
    return summary


def _means(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    attributes = sorted({row["attribute"] for row in rows})
    by_wording = [
        [_mean(row for row in rows if (row["attribute"], row["wording"]) == (one, wording)) for wording in wordings]
        for one in attributes
        if (wordings := sorted({row["wording"] for row in rows if row["attribute"] == one}, key=str))
    ]
    by_seed = [_mean(row for row in rows if row["seed"] == seed) for seed in sorted({row["seed"] for row in rows})]
    told = {"average_precision": _mean(rows)}
    told["standard_error"] = float(np.std(by_seed, ddof=1) / np.sqrt(len(by_seed))) if len(by_seed) > 1 else 0.0
    told["worst_wording"] = float(np.mean([min(part) for part in by_wording]))
    told["best_wording"] = float(np.mean([max(part) for part in by_wording]))
    return {key: round(value, 4) for key, value in told.items()}


def _mean(rows: Any) -> float:
    return float(np.mean([row["average_precision"] for row in rows]))


def _show(summary: Sequence[dict[str, Any]]) -> None:
    shown = Table("method", *(f"{count} answers" for count in COUNTS), "worst to best wording at 10")
    for method in dict.fromkeys(line["method"] for line in summary):
        mine = {line["answers"]: line for line in summary if line["method"] == method}
        cells = [f"{mine[n]['average_precision']:.3f} ± {mine[n]['standard_error']:.3f}" for n in COUNTS]
        shown.add_row(method, *cells, f"{mine[10]['worst_wording']:.3f} to {mine[10]['best_wording']:.3f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
