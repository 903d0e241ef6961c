"""What the newest probe says of every image of the pool, left by the job `learn` for the pages that show pictures.

One Arrow file for each attribute in the workspace's cache. A page maps it and reads: nothing is scored in a request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.records.schema import Attribute
from attune.labeler.settings import Settings
from attune.models.files.atomic import atomic_writer
from attune.models.probes.decision import NO_LABEL, decide

TOP = 24  # images of each class that home may choose from, as a viewer may not see each of them
META = b"attune"
KEPT = 4  # questions of which a process keeps what pages worked out: 8 bytes an image each


@dataclass(frozen=True)
class RankedRight:
    """Of the ``of`` audit images that a probe ranks highest for a class, ``right`` are of that class; ``chance``: how
    many would be in a random order. ``of`` is 0 where the ``n`` audit images with an agreed answer are too few.

    ``share`` in [0, 1] of all images that are of the class, from ``lo`` to ``hi``: likely images are drawn for audits
    more often, and this weighs each by its chance. None where too few are of the class, or of others. ``even``: all had
    the same chance, as those that were drawn before there was a probe.
    """

    n: int
    of: int = 0
    right: int = 0
    chance: float = 0.0
    share: float | None = None
    lo: float | None = None
    hi: float | None = None
    even: bool = False

    @property
    def in_all(self) -> int:
        """How many of the ``n`` audit images are of the class: more than these cannot be right."""
        return round(self.chance * self.n / self.of) if self.of else 0


@dataclass(frozen=True)
class Summary:
    """What home reads of a file: by class the keys (``Asset.id``) of the likeliest images, then the most doubtful.

    ``pool``: how many images were scored. ``held`` is ``ranked`` of the run that first reached ``steps`` times
    ``viewer.TOLD_EVERY`` answers to what was asked: for an owner who labels, to whom a figure that moves after an own
    answer would tell that this one was an audit.
    """

    run: int
    revision: int
    classes: Sequence[str]
    thresholds: Mapping[str, float]
    pool: int
    top: Mapping[str, Sequence[int]]
    doubtful: Sequence[int]
    ranked: Mapping[str, RankedRight]
    held: Mapping[str, RankedRight] = field(default_factory=dict)
    steps: int = 0


@dataclass(frozen=True, eq=False)
class PoolScores:
    """The scores of run ``summary.run``: ``keys`` (N,) ascending, and of each class its probabilities (N,), mapped."""

    summary: Summary
    keys: npt.NDArray[np.int64]
    columns: Sequence[npt.NDArray[np.float32]]

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """All probabilities, float32 (N, c); put together when asked for, as to keep them would take most room."""
        return np.stack(self.columns, axis=1)

    def at(self, rows: Sequence[int]) -> npt.NDArray[np.float32]:
        """The probabilities of a few rows (m,): float32 (m, c), with no other row read."""
        return np.stack([column[np.asarray(rows, dtype=np.intp)] for column in self.columns], axis=1)

    @cached_property
    def said(self) -> npt.NDArray[np.int32]:
        """The position of the class that the probe gives each image, int32 (N,); ``NO_LABEL`` for a tie."""
        return decide(self.probabilities.astype(np.float64), self.summary.classes, self.summary.thresholds)

    @cached_property
    def shown(self) -> npt.NDArray[np.float32]:
        """The probability of that class, float32 (N,); of a tie the highest."""
        column = np.where(self.said == NO_LABEL, self.probabilities.argmax(axis=1), self.said)
        return np.take_along_axis(self.probabilities, column[:, None], axis=1)[:, 0]

    def rows(self, keys: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """The rows of ``keys`` (m,), -1 for an image that was not scored."""
        wanted = np.asarray(keys, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.keys, wanted), max(len(self.keys) - 1, 0))
        if not len(self.keys):
            return np.full(len(wanted), -1, dtype=np.intp)
        return np.where(self.keys[at] == wanted, at, -1).astype(np.intp)


def margin(
    probabilities: npt.NDArray[np.floating[Any]], classes: Sequence[str], thresholds: Mapping[str, float]
) -> npt.NDArray[np.floating[Any]]:
    """How far each row (n, c) is from another class, (n,): of two classes from the threshold, of more from the second
    likeliest."""
    if len(classes) == 2:
        return np.asarray(np.abs(probabilities[:, 0] - thresholds.get(classes[0], 0.5)))
    highest = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(highest[:, 1] - highest[:, 0])


def save(
    settings: Settings,
    attribute: Attribute,
    run: int,
    keys: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.floating[Any]],
    thresholds: Mapping[str, float],
    ranked: Mapping[str, RankedRight],
    steps: int = 0,
) -> None:
    """Keep the scores of ``keys`` (N,), in any order, and ``probabilities`` (N, c) in place of those kept before.

    ``ranked`` is held for owners who label until ``steps`` is higher than ever, or the revision is another.
    """
    held, steps = _held(_before(settings, attribute), attribute.revision, steps, ranked)
    order = np.argsort(keys, kind="stable")
    keys, p = keys[order], probabilities[order].astype(np.float32)
    doubt = margin(p, attribute.classes, thresholds)
    content = {
        "run": run,
        "revision": attribute.revision,
        "classes": list(attribute.classes),
        "thresholds": dict(thresholds),
        "top": {name: _first(keys, -p[:, i]) for i, name in enumerate(attribute.classes)},
        "doubtful": _first(keys, doubt),
        "ranked": {name: asdict(one) for name, one in ranked.items()},
        "held": {name: asdict(one) for name, one in held.items()},
        "steps": steps,
        "pool": len(keys),
    }
    columns = {"key": pa.array(keys)} | {f"p{i}": pa.array(p[:, i]) for i in range(p.shape[1])}
    batch = pa.record_batch(columns)
    schema = batch.schema.with_metadata({META: json.dumps(content).encode()})
    with atomic_writer(_place(settings, attribute.id)) as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_batch(pa.record_batch(batch.columns, schema=schema))


def _held(
    before: Summary | None, revision: int, steps: int, ranked: Mapping[str, RankedRight]
) -> tuple[Mapping[str, RankedRight], int]:
    """What is held, and for which steps: answers taken back and given again bring no newer figure."""
    if before is None or before.revision != revision:
        return ranked, steps
    held = before.held if before.held and steps <= before.steps else ranked
    return held, max(steps, before.steps)


def _first(keys: npt.NDArray[np.int64], cost: npt.NDArray[np.floating[Any]]) -> list[int]:
    """The keys of the ``TOP`` lowest costs, the lowest first."""
    some = np.argpartition(cost, TOP)[:TOP] if len(cost) > TOP else np.arange(len(cost))
    best: list[int] = keys[some[np.argsort(cost[some], kind="stable")]].tolist()
    return best


def load(settings: Settings, attribute: Attribute) -> PoolScores | None:
    """The newest scores; None where there are none yet, or where they are of other classes than today's.

    What was worked out from them is kept for the next page, of the last ``KEPT`` questions that were asked for.
    """
    path = _place(settings, attribute.id)
    try:
        held = path.stat()
        state, slot = (held.st_ino, held.st_mtime_ns, held.st_size), _slot(path)
        scores = slot.get(state) or _read(path)
    except FileNotFoundError:
        return None
    if state not in slot:  # the file is written once and renamed: nobody asks for the one before again
        slot.clear()
        slot[state] = scores
    return _of_today(scores, attribute)


def glance(settings: Settings, attribute: Attribute) -> PoolScores | None:
    """`load` for a page that reads a few rows of every question: nothing is kept, and nothing kept has to go."""
    try:
        return _of_today(_read(_place(settings, attribute.id)), attribute)
    except FileNotFoundError:
        return None


def _of_today(scores: PoolScores, attribute: Attribute) -> PoolScores | None:
    return scores if list(scores.summary.classes) == list(attribute.classes) else None


@lru_cache(maxsize=KEPT)
def _slot(_path: Path) -> dict[tuple[int, int, int], PoolScores]:
    """The scores of one file by its state: of the newest one that was asked for."""
    return {}


def _read(path: Path) -> PoolScores:
    with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
        summary, batch = _summary(reader.schema), reader.get_batch(0)
    columns = [batch.column(f"p{i}").to_numpy() for i in range(len(summary.classes))]
    return PoolScores(summary, batch.column("key").to_numpy(), columns)


def _summary(schema: pa.Schema) -> Summary:
    content = json.loads(schema.metadata[META])
    told = {key: {name: RankedRight(**one) for name, one in content.get(key, {}).items()} for key in ("ranked", "held")}
    return Summary(**content | told)


def _before(settings: Settings, attribute: Attribute) -> Summary | None:
    kept = glance(settings, attribute)
    return kept.summary if kept is not None else None


def _place(settings: Settings, attribute_id: int) -> Path:
    return settings.workspace / "cache" / "pool-scores" / f"{attribute_id}.arrow"
