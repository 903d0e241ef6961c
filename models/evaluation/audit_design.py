"""The audit: which images are asked about only to measure, drawn with known probabilities, never trained on."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.errors import DataError, EmptyPool, PoolExhausted
from attune.models.evaluation.splits import held_out, unit_hash
from attune.models.labels.answers import AUDIT, IMPORT, Answer
from attune.models.vectors.id_index import AT_ONCE, IdIndex

Ids = Sequence[str] | NDArray[np.str_]
RESERVED_SHARE = 0.3
MEASURES_ONLY = 1.0  # reserved share of a question that checks a measured feature: no probe learns from its answers
# A share of the draw that ignores the probe: no image's weight can be more than 1 / UNIFORM_SHARE of a uniform one's.
UNIFORM_SHARE = 0.25


def reserved_mask(
    title_ids: Sequence[str] | NDArray[np.str_], seed: int, share: float = RESERVED_SHARE
) -> NDArray[np.bool_]:
    """Which rows belong to audit titles, bool (n,): never trained on, only ever audited.

    Decided by a hash of each title and ``seed``, so that it stays as it is while assets and answers pour in.
    """
    return held_out(title_ids, seed, share, "reserved")


def importance(scores: ArrayLike | None, n: int) -> NDArray[np.float64]:
    """How much each asset matters to an average precision, float64 (n,), mean 1.

    ``scores`` (n,) of the positive class, (n, 2) likewise by their first column, (n, k) for k classes, which share
    equally; None where there is no probe yet. The prior of Aslam, Pavlu and Yilmaz (SIGIR 2006) over ranks,
    log(n / rank), mixed with ``UNIFORM_SHARE`` of a uniform draw. It uses ranks alone, because an early probe's
    probabilities mean nothing.
    """
    if scores is None:
        return np.ones(n)
    every = np.asarray(scores, dtype=np.float64).reshape(n, -1)
    columns = every[:, :1] if every.shape[1] == 2 else every
    if not np.isfinite(columns).all():
        raise DataError(
            f"{int((~np.isfinite(columns)).sum())} scores are not finite. Expected a finite number for each asset."
        )
    by_rank = np.mean([_rank_prior(column) for column in columns.T], axis=0)
    return np.asarray(UNIFORM_SHARE + (1.0 - UNIFORM_SHARE) * by_rank, dtype=np.float64)


def by_class(codes: ArrayLike) -> NDArray[np.float64]:
    """How much each asset matters to the errors of a measured class, float64 (n,), mean 1.

    ``codes`` (n,) is the class of each. Classes share equally, whatever their size, so that the rare ones are checked,
    too; ``UNIFORM_SHARE`` of the draw ignores them. Within a class every asset weighs the same.
    """
    _, place, size = np.unique(np.asarray(codes), return_inverse=True, return_counts=True)
    shared = len(place) / (len(size) * size[place.reshape(-1)]) if len(place) else np.ones(0)
    return np.asarray(UNIFORM_SHARE + (1.0 - UNIFORM_SHARE) * shared, dtype=np.float64)


def _rank_prior(score: NDArray[np.float64]) -> NDArray[np.float64]:
    rank = np.empty(len(score))
    rank[np.argsort(-score, kind="stable")] = np.arange(len(score)) + 0.5
    prior = np.log(len(score) / rank)
    return np.asarray(prior / prior.mean(), dtype=np.float64)


class AuditDesign:
    """Draws assets to audit one by one while the probe changes, keeping each one's probability of being drawn.

    Every asset has a permanent random number u, a hash of its id. Each round gives it a weight (``importance``), and
    the round's threshold c raises its inclusion probability to max(before, min(1, c * weight)); an asset is drawn as
    soon as u is below. An asset's threshold is the ratio u / weight that would have been the last to be let in without
    it, which makes the number drawn exact and 1 / inclusion an unbiased weight (priority sampling: Duffield, Lund and
    Thorup, J. ACM 54(6), 2007; permanent random numbers: Ohlsson, 1995). The probe never sees an audit answer, so its
    scores cannot chase u.

    An asset's probability grows after it was asked: weigh by ``inclusion`` as it is at evaluation, of one design over
    all its rounds. The state is the seed and one number per asset; ``to_bytes`` holds both. In memory it is arrays:
    dictionaries of 400,000 ids took 200 MB.
    """

    def __init__(self, seed: int) -> None:
        self.seed = int(seed)
        self._hold(np.empty(0, dtype=np.str_), np.empty(0), np.empty(0))

    def extend(
        self,
        asset_ids: Ids,
        title_ids: Ids,
        scores: ArrayLike | None,
        n_more: int,
        weights: NDArray[np.float64] | None = None,
    ) -> list[tuple[int, float]]:
        """Draw ``n_more`` further assets: pairs of (index into ``asset_ids``, inclusion probability), likeliest first.

        ``asset_ids`` are all reserved assets that can still be shown, drawn ones included; ``scores`` as in
        ``importance``; ``weights`` (n,) above 0 stand for them where they are given. Raises EmptyPool where there are
        none, PoolExhausted where fewer than ``n_more`` are undrawn.
        """
        ids = np.asarray(asset_ids, dtype=np.str_)
        _check_pool(ids, title_ids, n_more)
        places = self._index.rows(ids)
        fresh = places < 0
        number, before = np.empty(len(ids)), self._inclusions_at(places)
        number[~fresh], number[fresh] = self._numbers_at(places[~fresh]), self._hashed(ids[fresh])
        waiting = np.flatnonzero(number >= before)
        if len(waiting) < n_more:
            raise PoolExhausted(
                f"{n_more} audit images requested, but only {len(waiting)} of {len(ids)} reserved images are "
                f"left. Request at most {len(waiting)}, or reserve a larger share for a new attribute."
            )
        weight = importance(scores, len(ids)) if weights is None else weights
        ratio = number[waiting] / weight[waiting]
        order = np.argsort(ratio, kind="stable")
        chosen_ids, rest = waiting[order[:n_more]], waiting[order[n_more:]]
        threshold = np.full(len(ids), ratio[order[n_more]] if len(rest) else np.inf)
        # Each one's threshold is the last ratio that the *others* would let in: it must not depend on its own u.
        threshold[rest] = ratio[order[n_more - 1]] if n_more else 0.0
        after = np.maximum(before, np.minimum(1.0, threshold * weight))
        # Nor may rounding lose an asset just under its threshold, or draw one that ties with it.
        after[chosen_ids] = np.maximum(after[chosen_ids], np.nextafter(number[chosen_ids], 1.0))
        after[rest] = np.minimum(after[rest], number[rest])
        self._inclusion[places[~fresh]] = after[~fresh]
        if fresh.any():
            self._add(ids[fresh], after[fresh], number[fresh])
        return [(int(i), float(after[i])) for i in chosen_ids]

    def inclusion(self, asset_id: str) -> float:
        """The probability with which the asset has been drawn by now; 0 where no round has seen it."""
        return float(self.inclusions([asset_id])[0])

    def inclusions(self, asset_ids: Ids) -> NDArray[np.float64]:
        """``inclusion`` of many assets, float64 (n,)."""
        return self._inclusions_at(self._index.rows(asset_ids))

    def drawn(self, asset_ids: Ids) -> NDArray[np.bool_]:
        """Which assets have been drawn by now, bool (n,)."""
        places = self._index.rows(asset_ids)
        known, drawn = np.flatnonzero(places >= 0), np.zeros(len(places), dtype=np.bool_)
        drawn[known] = self._numbers_at(places[known]) < self._inclusion[places[known]]
        return drawn

    def measuring(self, answers: Iterable[Answer], own: Collection[tuple[str, str]] = ()) -> list[Answer]:
        """The answers that measure: on images drawn by now, whoever asked first, but nothing that was imported.

        What a person chose before the design drew it counts as well: left out, just those images would be missing from
        the draw that someone found worth choosing. But nobody chooses what to measure with the own answers: one on an
        image that its expert chose, a pair (asset id, expert) of ``own``, measures only where it was asked as an audit.
        """
        answer_list = list(answers)
        drawn = self.drawn([answer.asset_id for answer in answer_list])
        return [
            answer
            for answer, is_drawn in zip(answer_list, drawn, strict=True)
            if answer.purpose == AUDIT
            or (is_drawn and answer.purpose != IMPORT and (answer.asset_id, answer.expert) not in own)
        ]

    def to_bytes(self) -> bytes:
        """The whole state as the bytes of an ``.npz`` without pickle: seed, ids in order, inclusion."""
        longest = int(np.char.str_len(self._ids).max(initial=1))
        out = io.BytesIO()
        np.savez_compressed(
            out,
            seed=np.array(str(self.seed)),  # no number of numpy's is long enough
            ids=self._ids.astype(f"<U{longest}", copy=False),
            inclusion=self._inclusion,
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> AuditDesign:
        """The design that ``to_bytes`` wrote; raises DataError where the bytes are not one."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                design = cls(int(arrays["seed"].item()))
                ids, inclusion = arrays["ids"], arrays["inclusion"]
        except (ValueError, KeyError, OSError, EOFError) as error:
            raise DataError(
                f"{len(content)} bytes are not an audit design. Expected what AuditDesign.to_bytes() wrote."
            ) from error
        design._hold(ids, inclusion, np.full(len(ids), np.nan))
        return design

    def _hold(self, ids: NDArray[np.str_], inclusion: NDArray[np.float64], number: NDArray[np.float64]) -> None:
        """``ids`` (n,) in order, each there once; ``number`` is NaN where it was not asked for yet."""
        self._ids, self._inclusion, self._number = ids, inclusion, number
        self._index = IdIndex(ids)

    def _add(self, ids: NDArray[np.str_], inclusion: NDArray[np.float64], number: NDArray[np.float64]) -> None:
        every = np.concatenate([self._ids, ids])
        order = np.argsort(every, kind="stable")
        numbers = ((self._inclusion, inclusion), (self._number, number))
        self._hold(every[order], *(np.concatenate(pair)[order] for pair in numbers))

    def _inclusions_at(self, places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Of -1 it is 0."""
        return np.append(self._inclusion, 0.0)[places]

    def _numbers_at(self, places: NDArray[np.intp]) -> NDArray[np.float64]:
        unknown = np.unique(places[np.isnan(self._number[places])])
        self._number[unknown] = self._hashed(self._ids[unknown])
        return self._number[places]

    def _hashed(self, ids: NDArray[np.str_]) -> NDArray[np.float64]:
        """The permanent random number of each id (n,), few of them Python's strings at the same time."""
        parts = (ids[start : start + AT_ONCE].tolist() for start in range(0, len(ids), AT_ONCE))
        return np.concatenate([np.empty(0), *(unit_hash(part, self.seed, "audit") for part in parts)])


def _check_pool(ids: NDArray[np.str_], title_ids: Ids, n_more: int) -> None:
    if not len(ids):
        raise EmptyPool(
            "No asset is reserved for audits: the pool has too few titles, or the reserved share is 0. Add "
            "images of more titles: `attune assets add PATH`"
        )
    hashes = IdIndex(ids).hashes
    different = len(np.unique(ids)) if (hashes[1:] == hashes[:-1]).any() else len(ids)
    if len(ids) != len(title_ids) or different != len(ids):
        raise DataError(
            f"{len(ids)} asset ids ({different} different) have {len(title_ids)} titles. Expected each "
            "asset once, with its title."
        )
    if n_more < 0:
        raise DataError(f"{n_more} audit images requested. Expected 0 or more.")
