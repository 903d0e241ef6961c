"""The groups' shares of a title that nobody watched yet, from blocks of features, each with its own penalty.

A multinomial regression with a ridge penalty, which differs between blocks (metadata, attributes, artwork): one penalty
for all lets hundreds of numbers of a poster drown a handful of genres. Blocks come one after the other; each penalty is
chosen by cross-validation over titles, and a block stays out unless it helps by more than one standard error (the rule
of Breiman and others 1984). All of this is done again inside each fold, so the gains that are told are of titles whose
viewers had no say. (What the caller makes of features alone, such as axes of the artwork, it may make of all titles.)
Intervals are quantiles of what was missed there (Barber and others, Annals of Statistics 49, 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax, logit

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats, Ints
from attune.models.threads import one_thread

LEAST_TITLES = 30
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
FOLDS, INNER = 5, 4
FULL = 50.0  # viewers with whom a title has half of the largest weight
LEVEL = 0.95
Step = Callable[[], None]


@dataclass(frozen=True, eq=False)
class Block:
    """``values`` (t, d) of one kind of features, finite; ``name`` is what people call it."""

    name: str
    values: Floats


@dataclass(frozen=True)
class Gain:
    """What a ``block`` adds to those before it, in nats a view over the base shares; ``low`` to ``high`` is 95 % over
    titles. ``used``: whether the forecast uses it. ``helps``: whether the whole interval is above 0."""

    block: str
    nats: float
    low: float
    high: float
    used: bool

    @property
    def helps(self) -> bool:
        """Whether it is used, and its gain is beyond chance."""
        return self.used and self.low > 0


@dataclass(frozen=True, eq=False)
class Forecaster:
    """Shares of titles: ``base`` (g,) of all; ``coefficients`` by block (d, g) for its values; ``intercept`` (g,).

    ``missed`` (2, g): how far the logit of a share may be below and above what is said, in ``LEVEL`` of titles.
    """

    base: Floats
    intercept: Floats
    coefficients: Mapping[str, Floats]
    penalties: Mapping[str, float]
    missed: Floats
    gains: Sequence[Gain]
    whole: Gain
    titles: int

    def shares(self, blocks: Mapping[str, Floats]) -> tuple[Floats, Floats, Floats]:
        """Shares, low and high (t, g) of titles by their values of each used block (t, d)."""
        score = self.intercept[None]
        for name, weight in self.coefficients.items():
            score = score + blocks[name] @ weight
        said = np.exp(log_softmax(score, axis=1))
        middle = logit(np.clip(said, 1e-6, 1 - 1e-6))
        return said, expit(middle + self.missed[0]), expit(middle + self.missed[1])


@dataclass(frozen=True, eq=False)
class _Data:
    shares: Floats
    weight: Floats
    blocks: Sequence[Block]

    def rows(self, kept: Ints) -> _Data:
        """Some of the titles."""
        return _Data(self.shares[kept], self.weight[kept], [Block(one.name, one.values[kept]) for one in self.blocks])


def forecaster(counts: Floats, blocks: Sequence[Block], seed: int = 0, step: Step = lambda: None) -> Forecaster:
    """Learn from ``counts`` (t, g) of viewers and the ``blocks`` of the same titles, those most trusted first.

    Raises NotEnoughLabels below ``LEAST_TITLES``. ``step`` is called after each of the ``FOLDS``.
    """
    if len(counts) < LEAST_TITLES:
        raise NotEnoughLabels(
            f"{len(counts)} titles have enough viewers and a description. A forecast needs {LEAST_TITLES}. Add more "
            "viewing."
        )
    viewers = counts.sum(axis=1)
    weight = viewers / (viewers + FULL)
    data = _Data(counts / viewers[:, None], weight / weight.mean(), blocks)
    rng = np.random.default_rng([seed, 3])
    said, path = _out_of_fold(data, rng, step)
    penalties = _choose(data, rng)
    base, intercept, coefficients = _fit(data, penalties)
    steps = _nats(data, path)  # (1 + blocks, t): of the base, and after each block
    gains = [
        _gain(one.name, steps[at + 1] - steps[at], data.weight, one.name in penalties) for at, one in enumerate(blocks)
    ]
    whole = _gain("all", steps[-1] - steps[0], data.weight, bool(penalties))
    observed = np.clip(data.shares, 0.5 / viewers[:, None], 1 - 0.5 / viewers[:, None])
    missed = logit(observed) - logit(np.clip(said, 1e-6, 1 - 1e-6))
    return Forecaster(base, intercept, coefficients, penalties, _quantiles(missed), gains, whole, len(counts))


def _quantiles(missed: Floats) -> Floats:
    """The lower and upper quantile (2, g), a little further out for few titles."""
    far = min(1.0, (1 + LEVEL) / 2 * (len(missed) + 1) / len(missed))
    return np.asarray(np.quantile(missed, [1 - far, far], axis=0), dtype=np.float64)


def _gain(name: str, nats: Floats, weight: Floats, used: bool) -> Gain:
    mean, se = _mean(nats, weight)
    return Gain(name, mean, mean - 1.96 * se, mean + 1.96 * se, used)


def _mean(values: Floats, weight: Floats) -> tuple[float, float]:
    """The weighted mean over titles, and its standard error."""
    mean = float(np.average(values, weights=weight))
    return mean, float(np.sqrt((weight**2 * (values - mean) ** 2).sum()) / weight.sum())


def _nats(data: _Data, said: Floats) -> Floats:
    """Log probability a view (..., t) of what was watched."""
    return np.asarray((data.shares * np.log(np.maximum(said, 1e-12))).sum(axis=-1), dtype=np.float64)


def _out_of_fold(data: _Data, rng: np.random.Generator, step: Step) -> tuple[Floats, Floats]:
    """What titles of each fold are said to be by the others: (t, g) at the end, and (1 + blocks, t, g) on the way."""
    path = np.zeros((1 + len(data.blocks), *data.shares.shape))
    for fold in np.array_split(rng.permutation(len(data.shares)), FOLDS):
        others = np.setdiff1d(np.arange(len(data.shares)), fold)
        training = data.rows(others)
        penalties = _choose(training, rng)
        for done in range(1 + len(data.blocks)):
            names = {one.name for one in data.blocks[:done]}
            kept = {name: value for name, value in penalties.items() if name in names}
            path[done, fold] = _say(_fit(training, kept), data.rows(fold))
        step()
    return path[-1], path


def _choose(data: _Data, rng: np.random.Generator) -> dict[str, float]:
    """The penalty of each block that helps, by cross-validation within ``data``."""
    folds = np.array_split(rng.permutation(len(data.shares)), INNER)
    chosen: dict[str, float] = {}
    before = _crossed(data, chosen, folds)
    for block in data.blocks:
        tried = {value: _crossed(data, chosen | {block.name: value}, folds) for value in PENALTIES}
        best = max(tried, key=lambda value: float(np.average(tried[value], weights=data.weight)))
        mean, se = _mean(tried[best] - before, data.weight)
        if mean > se:
            chosen, before = chosen | {block.name: best}, tried[best]
    return chosen


def _crossed(data: _Data, penalties: Mapping[str, float], folds: Sequence[Ints]) -> Floats:
    """Nats (t,) of each title by the titles of the other folds."""
    found = np.zeros(len(data.shares))
    for fold in folds:
        others = np.setdiff1d(np.arange(len(data.shares)), fold)
        held = data.rows(fold)
        found[fold] = _nats(held, _say(_fit(data.rows(others), penalties), held))
    return found


def _say(fitted: tuple[Floats, Floats, Mapping[str, Floats]], data: _Data) -> Floats:
    _, intercept, coefficients = fitted
    values = {one.name: one.values for one in data.blocks}
    score = np.tile(intercept, (len(data.shares), 1))
    for name, weight in coefficients.items():
        score += values[name] @ weight
    return np.asarray(np.exp(log_softmax(score, axis=1)), dtype=np.float64)


def _fit(data: _Data, penalties: Mapping[str, float]) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Base shares, intercept and coefficients for the blocks in ``penalties``, whose values are as they were given."""
    base = np.average(data.shares, axis=0, weights=data.weight)
    base = np.maximum(base, 1e-6) / np.maximum(base, 1e-6).sum()
    used = [one for one in data.blocks if one.name in penalties]
    if not used:
        return base, np.log(base), {}
    values = np.hstack([one.values for one in used])
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 1e-9, scale, np.inf)  # what is the same everywhere says nothing
    penalty = np.concatenate([np.full(one.values.shape[1], penalties[one.name]) for one in used])
    weight, intercept = _minimum((values - mean) / scale, data, penalty, base)
    weight = weight / scale[:, None]
    widths = np.cumsum([one.values.shape[1] for one in used])[:-1]
    parts = np.split(weight, widths)
    return base, intercept - mean @ weight, {one.name: part for one, part in zip(used, parts, strict=True)}


def _minimum(x: Floats, data: _Data, penalty: Floats, base: Floats) -> tuple[Floats, Floats]:
    """Coefficients (d, g) and intercept (g,) of the least loss."""
    from scipy.optimize import minimize  # a third of a second, in each process that shows a forecast

    wanted, d, g = data.shares * data.weight[:, None], x.shape[1], len(base)
    own = data.weight[:, None]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weight, intercept = flat[: d * g].reshape(d, g), flat[d * g :]
        said = log_softmax(x @ weight + intercept, axis=1)
        value = -(wanted * said).sum() + 0.5 * (penalty[:, None] * weight**2).sum()
        slope = np.exp(said) * own - wanted
        return float(value), np.concatenate([(x.T @ slope + penalty[:, None] * weight).reshape(-1), slope.sum(axis=0)])

    start = np.concatenate([np.zeros(d * g), np.log(base)])
    with one_thread():
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100, "ftol": 1e-8}).x
    return found[: d * g].reshape(d, g), found[d * g :]
