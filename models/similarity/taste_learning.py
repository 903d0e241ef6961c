"""Learn a space from weak labels of several values: what people who choose by genre would call alike.

Two maps are put side by side: one that a multi-label angular loss learns, for the near neighbourhood, and ridge
regression to the overlap of labels, for the order of everything. Each is better at something, and both together are
better than either. They are one matrix in the end, cut to its leading directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from attune.models.errors import SettingsError
from attune.models.similarity.angular_loss import BatchLoss, angular_loss, learn_map
from attune.models.similarity.label_maps import overlap_map
from attune.models.similarity.label_overlap import check_enough
from attune.models.similarity.library_losses import library_loss
from attune.models.similarity.space_files import LearnedSpace

Floats = npt.NDArray[np.float32]
MOST_ROWS = 50_000  # of the pool that a space is learned from


@dataclass(frozen=True)
class TasteSettings:
    """How a space is learned; ``alpha`` (degrees), ``blend`` and ``hub_weight`` are what tuning chooses.

    ``ridge`` penalty of the regression for each row; ``maps`` seeds of the angular map whose results are put
    together; ``rows`` of one angular map; ``kept`` directions of the whole; ``loss`` angular or one of the library's.
    """

    alpha: float = 36.0
    blend: float = 0.2
    hub_weight: float = 0.0
    ridge: float = 1.0
    maps: int = 2
    rows: int = 128
    kept: int = 128
    components: int = 256
    epochs: int = 8
    loss: str = "angular"

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 90 or not 0 <= self.blend <= 1 or self.hub_weight < 0 or self.ridge <= 0:
            raise SettingsError(
                f"alpha is {self.alpha}, blend {self.blend}, hub_weight {self.hub_weight}, ridge {self.ridge}. "
                "Expected alpha between 0 and 90 degrees, blend between 0 and 1, hub_weight 0 or more, ridge above 0."
            )
        if min(self.maps, self.rows, self.kept, self.components, self.epochs) < 1:
            raise SettingsError(
                f"maps {self.maps}, rows {self.rows}, kept {self.kept}, components {self.components} and epochs "
                f"{self.epochs} must be 1 or more."
            )


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """The pool's ``mean`` (d,) and leading ``components`` (p, d), scaled so that the pool's mean square is 1."""

    mean: Floats
    components: Floats

    def features(self, x: Floats) -> Floats:
        """Vectors (n, d) along the components, float32 (n, p)."""
        return np.asarray((x - self.mean) @ self.components.T, dtype=np.float32)


def principal_axes(x: Floats, count: int) -> PrincipalAxes:
    """The leading ``count`` axes of ``x`` (n, d), not whitened: equal spread of all axes costs three to six points."""
    mean = x.mean(axis=0, dtype=np.float64)
    centred = x - mean.astype(np.float32)
    values, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(x))
    leading = np.argsort(-values)[: min(count, *x.shape)]
    axes = vectors[:, leading].T
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]  # one sign on every machine
    scale = np.sqrt(max(float(values[leading].sum()) / len(leading), 1e-12))
    return PrincipalAxes(mean.astype(np.float32), (axes / scale).astype(np.float32))


def learn_space(
    vectors: npt.ArrayLike, labels: npt.ArrayLike, settings: TasteSettings | None = None, seed: int = 0
) -> LearnedSpace:
    """The space that ``settings`` describe, from encoder vectors (n, d) and their labels (n, k) multi-hot.

    Rows without a label help to find the axes and are left out of the rest. The same seed gives the same space on one
    machine. Raises NotEnoughLabels; ExtraNotInstalled where the loss needs a package that is not there.
    """
    settings = settings or TasteSettings()
    x, given = np.asarray(vectors, dtype=np.float32), np.asarray(labels, dtype=np.float32)
    check_enough(given)
    if len(x) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng([seed, 63]).choice(len(x), MOST_ROWS, replace=False))
        x, given = x[chosen], given[chosen]
    return space_along(principal_axes(x, settings.components), x, given, settings, seed)


def space_along(axes: PrincipalAxes, x: Floats, labels: Floats, settings: TasteSettings, seed: int) -> LearnedSpace:
    """The same along ``axes`` that are known already."""
    labelled = labels.sum(axis=1) > 0
    projection = learn_projection(axes.features(x[labelled]), labels[labelled], settings, seed)
    blend = np.array([settings.blend, settings.hub_weight], dtype=np.float32)
    return LearnedSpace(axes.mean, axes.components, projection, blend)


def learn_projection(features: Floats, labels: Floats, settings: TasteSettings, seed: int) -> Floats:
    """The learned map (at most ``kept``, p) of features (n, p) of rows that all have a label."""
    loss = batch_loss(settings)
    maps = [
        learn_map(features, labels, loss, settings.rows, settings.epochs, seed * settings.maps + number)
        for number in range(settings.maps)
    ]
    share = 1 / np.sqrt(len(maps))
    parts = [share * _evened(one, features) for one in maps]
    return leading_rows(
        np.vstack([*parts, _evened(overlap_map(features, labels, settings.ridge), features)]), features, settings.kept
    )


def batch_loss(settings: TasteSettings) -> BatchLoss:
    """The loss that the settings name. Raises SettingsError, ExtraNotInstalled."""
    return partial(angular_loss, alpha=settings.alpha) if settings.loss == "angular" else library_loss(settings.loss)


def leading_rows(projection: Floats, features: Floats, kept: int) -> Floats:
    """A map of at most ``kept`` rows whose products over the features are closest to those of ``projection``."""
    p = features.shape[1]
    spread = features.T.astype(np.float64) @ features / len(features)
    root = np.linalg.cholesky(spread + 1e-6 * np.eye(p))
    _, values, directions = np.linalg.svd(projection @ root, full_matrices=False)
    cut = values[:kept, None] * directions[:kept]
    return np.asarray(np.linalg.solve(root.T, cut.T).T, dtype=np.float32)


def _evened(one: Floats, features: Floats) -> Floats:
    """The map at the scale where mapped rows have a mean square length of 1."""
    mapped = features @ one.T
    return np.asarray(one / np.sqrt(max(float((mapped**2).sum(axis=1).mean()), 1e-12)), dtype=np.float32)
