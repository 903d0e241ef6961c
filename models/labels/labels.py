"""From many experts' answers to one soft label and weight per asset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attune.models.errors import ConflictingLabels, DataError
from attune.models.labels.answers import SKIP, UNSURE, Answer, latest

# An "unsure" says that the image is hard, and little else: it pulls towards the middle, at a quarter of an answer.
UNSURE_WEIGHT = 0.25
# Answers on one image are not as good as answers on as many images. With this correlation between two answers on one
# image, n of them count n / (1 + (n - 1) rho): 1, 1.33, 1.5 ... never more than 2 (Kish, Survey Sampling, 1965, 5.4).
REPEAT_CORRELATION = 0.5


@dataclass(frozen=True, eq=False)
class Labels:
    """Agreed labels that cannot be wrong: checked once at construction, read-only afterwards.

    ``shares`` float64 (n, k): the share of each class, rows sum to 1; ``weights`` float64 (n,): what a row counts in
    a fit, 1 for one sure answer; ``asset_ids`` are unique. Raises DataError (ConflictingLabels for an asset given
    twice) with the offenders.
    """

    asset_ids: tuple[str, ...]
    title_ids: tuple[str, ...]
    shares: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __post_init__(self) -> None:
        shares = np.array(self.shares, dtype=np.float64)
        weights = np.array(self.weights, dtype=np.float64)
        object.__setattr__(self, "asset_ids", tuple(str(asset) for asset in self.asset_ids))
        object.__setattr__(self, "title_ids", tuple(str(title) for title in self.title_ids))
        _check_shapes(len(self.asset_ids), len(self.title_ids), shares, weights)
        _check_values(self.asset_ids, shares, weights)
        for name, array in (("shares", shares), ("weights", weights)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.asset_ids)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Labels):
            return NotImplemented
        return (
            self.asset_ids == other.asset_ids
            and self.title_ids == other.title_ids
            and np.array_equal(self.shares, other.shares)
            and np.array_equal(self.weights, other.weights)
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside: compare, do not hash

    def majority(self) -> NDArray[np.intp]:
        """The class with the largest share of each row, intp (n,); a tie goes to the earlier class."""
        return np.asarray(self.shares.argmax(axis=1), dtype=np.intp)

    def decided(self) -> NDArray[np.bool_]:
        """Rows where one class leads alone, bool (n,): a tie or an "unsure" has no majority to be right about."""
        ordered = np.sort(self.shares, axis=1)
        return np.asarray(ordered[:, -1] - ordered[:, -2] > 1e-9, dtype=np.bool_)

    def counts(self) -> NDArray[np.intp]:
        """How many decided rows each class leads, intp (k,)."""
        return np.bincount(self.majority()[self.decided()], minlength=self.shares.shape[1]).astype(np.intp)

    def subset(self, rows: NDArray[np.bool_] | NDArray[np.intp] | Sequence[int]) -> Labels:
        """The rows of a mask (n,) or of indices, in the order given."""
        rows = np.asarray(rows)
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.intp)
        return Labels(
            tuple(self.asset_ids[i] for i in index),
            tuple(self.title_ids[i] for i in index),
            self.shares[index],
            self.weights[index],
        )


def _check_shapes(assets: int, titles: int, shares: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
    if shares.ndim != 2 or shares.shape[1] < 2:
        raise DataError(f"Shares have the shape {shares.shape}. Expected (assets, classes), with 2 or more classes.")
    if not assets == titles == len(shares) == len(weights) or weights.ndim != 1:
        raise DataError(
            f"Labels of {assets} assets have {titles} titles, shares of shape {shares.shape} and weights of "
            f"shape {weights.shape}. Expected one of each per asset."
        )


def _check_values(assets: tuple[str, ...], shares: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
    if len(set(assets)) != len(assets):
        asset_set: set[str] = set()
        twice = sorted({asset for asset in assets if asset in asset_set or asset_set.add(asset)})  # type: ignore[func-returns-value]
        raise ConflictingLabels(
            f"{len(twice)} assets are labelled twice, among them {twice[:3]}. Make one label per asset with "
            "consensus(answers)."
        )
    bad = ~np.isfinite(shares).all(axis=1) | (shares < 0).any(axis=1) | (np.abs(shares.sum(axis=1) - 1.0) > 1e-6)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"The shares of {assets[row]!r} are {shares[row].tolist()}. Expected numbers of 0 or more that sum to 1."
        )
    bad = ~(np.isfinite(weights) & (weights > 0))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"The weight of {assets[row]!r} is {weights[row]}. Expected a number above 0.")


def consensus(
    answers: Iterable[Answer], classes: Sequence[str], reliability: Mapping[str, float] | None = None
) -> Labels:
    """One soft label and weight per asset from all experts' answers, whatever the order they came in.

    Each expert's newest answer on an asset counts once, skips not at all; an unsure one spreads over all classes at
    ``UNSURE_WEIGHT``. ``reliability`` (expert -> a number above 0, 1 where missing) weighs one expert against another.
    The weight of an asset grows with its answers but slower than they do (``REPEAT_CORRELATION``). Assets are sorted
    by id. Raises DataError where an answer is neither a class, unsure nor skip, or one asset has two titles.
    """
    column = {name: i for i, name in enumerate(classes)}
    if len(column) < 2 or len(column) != len(classes):
        raise DataError(f"Classes are {list(classes)}. Expected 2 or more different names.")
    by_asset: dict[str, list[Answer]] = {}
    for answer in latest(answers):
        if answer.value not in column and answer.value not in (UNSURE, SKIP):
            raise DataError(
                f"{answer.expert} answered {answer.value!r} on {answer.asset_id!r}. Expected one of "
                f"{list(classes)}, {UNSURE!r} or {SKIP!r}. If the classes changed, use only answers of this "
                "revision."
            )
        if answer.value != SKIP:
            by_asset.setdefault(answer.asset_id, []).append(answer)
    votes = [_votes(group, column, reliability or {}) for group in by_asset.values()]
    vote_totals = [vote.sum() for vote in votes]
    return Labels(
        tuple(by_asset),
        tuple(_one_title(group) for group in by_asset.values()),
        np.array([vote / total for vote, total in zip(votes, vote_totals, strict=True)]).reshape(-1, len(classes)),
        np.array([_counts_as(total) for total in vote_totals]),
    )


def _votes(group: list[Answer], column: Mapping[str, int], reliability: Mapping[str, float]) -> NDArray[np.float64]:
    votes = np.zeros(len(column))
    for answer in group:
        trust = reliability.get(answer.expert, 1.0)
        if answer.value == UNSURE:
            votes += trust * UNSURE_WEIGHT / len(column)
        else:
            votes[column[answer.value]] += trust
    return votes


def _counts_as(value: float) -> float:
    # Below one answer (unsure, or an expert of little reliability) the weight is what was said, above it saturates.
    return float(min(value, value / (1.0 + (value - 1.0) * REPEAT_CORRELATION)) if value > 1.0 else value)


def _one_title(group: list[Answer]) -> str:
    titles = sorted({answer.title_id for answer in group})
    if len(titles) > 1:
        raise ConflictingLabels(
            f"Asset {group[0].asset_id!r} has answers with the titles {titles}. Expected one title. Add the "
            "asset again with its asset table: `attune assets add PATH --manifest FILE`"
        )
    return titles[0]
