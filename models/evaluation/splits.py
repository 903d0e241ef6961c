"""Splits by title: decided by a hash of the title, never by order of arrival, and never straddled by a title."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.errors import DataError, SplitLeakage


def unit_hash(keys: Iterable[str], seed: int, purpose: str) -> NDArray[np.float64]:
    """A number in [0, 1) for each key, float64 (n,): the same on every machine and day, as good as random.

    ``purpose`` separates one use of a key from another, so that two draws over the same keys are independent.
    """
    prefix = hashlib.blake2b(f"{purpose}\x00{seed}\x00".encode(), digest_size=8)
    return np.array([_unit(prefix, key) for key in keys], dtype=np.float64)


def _unit(prefix: hashlib.blake2b, key: str) -> float:
    state = prefix.copy()
    state.update(str(key).encode())
    # 53 bits are what a float64 holds exactly: more would round some keys up to 1.0.
    return (int.from_bytes(state.digest(), "big") >> 11) * 2.0**-53


def held_out(title_ids: Sequence[str] | NDArray[np.str_], seed: int, share: float, purpose: str) -> NDArray[np.bool_]:
    """Which rows belong to a held-out title, bool (n,): about ``share`` of the titles, whatever else is in the pool.

    A title is in or out by its own name alone, so the answer never changes as the pool grows. Raises DataError where
    ``share`` is outside [0, 1].
    """
    if not 0.0 <= share <= 1.0:
        raise DataError(f"The held-out share is {share}. Expected a number between 0 and 1, such as 0.25.")
    titles, row = np.unique(np.asarray(title_ids, dtype=np.str_), return_inverse=True)
    return np.asarray((unit_hash(titles.tolist(), seed, purpose) < share)[row.reshape(-1)], dtype=np.bool_)


def title_folds(
    title_ids: ArrayLike, classes: ArrayLike, folds: int, seed: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Pairs of (train, test) row indices where no title is on both sides and classes are spread as evenly as it goes.

    ``classes`` intp (n,) is what to spread. Raises DataError where there are fewer titles than folds.
    """
    from sklearn.model_selection import (
        StratifiedGroupKFold,  # takes a second to load, and a split by hash needs no folds
    )

    titles = np.asarray(title_ids, dtype=np.str_)
    distinct = len(np.unique(titles))
    if distinct < folds:
        raise DataError(
            f"{distinct} titles cannot be split into {folds} folds. Label images of more titles, or use fewer folds."
        )
    splitter = StratifiedGroupKFold(
        n_splits=folds, shuffle=True, random_state=seed % 2**32
    )  # scikit-learn takes no more
    with warnings.catch_warnings():
        # A class rarer than the folds is normal here (3 positives, 5 folds): the fold without one just has none.
        warnings.filterwarnings("ignore", message="The least populated class")
        pairs = list(splitter.split(np.zeros(len(titles)), np.asarray(classes), groups=titles))
    for train, test in pairs:
        check_apart(titles[train], titles[test])
        yield train.astype(np.intp), test.astype(np.intp)


def check_apart(train_titles: ArrayLike, test_titles: ArrayLike) -> None:
    """Raise SplitLeakage, with the offenders, where a title stands on both sides of a split."""
    both = np.intersect1d(np.asarray(train_titles, dtype=np.str_), np.asarray(test_titles, dtype=np.str_))
    if len(both):
        raise SplitLeakage(
            f"{len(both)} titles are both trained on and evaluated on, among them {both[:3].tolist()}. Split by "
            "title, with attune.models.evaluation.splits or audit_design.reserved_mask."
        )
