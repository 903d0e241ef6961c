"""Ways to see the pool, each learned from the pool's rows alone: vectors in, a function from vectors to vectors out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.similarity.angular_loss import BatchLoss, learn_map
from attune.models.similarity.label_maps import logistic_map, ridge_map
from attune.models.similarity.library_losses import library_loss, metric_learning
from attune.models.similarity.taste_learning import PrincipalAxes, TasteSettings, space_along
from attune.models.vectors.pool import unit_length

Floats = npt.NDArray[np.float32]
ROWS, EPOCHS = 64, 8
TRAINED = ("triplet", "pml_angular", "multi_similarity", "attune")  # differ by seed
METHODS = ("raw", "pca", "ridge", "logistic", *TRAINED)


@dataclass(frozen=True, eq=False)
class Way:
    """A way to see vectors (n, d): at unit length, float32 (n, k), with the cost of hubs that it wants."""

    see: Callable[[Floats], Floats]
    hub_weight: float = 0.0


def learn(name: str, axes: PrincipalAxes, x: Floats, labels: Floats, chosen: TasteSettings, seed: int) -> Way:
    """The way called ``name``, learned from rows (n, d) that all have labels (n, k) multi-hot, and the pool's axes.

    ``chosen`` are the settings of ``attune``. Raises ExtraNotInstalled where a library is not there.
    """
    if name == "raw":
        return Way(unit_length)
    if name == "attune":
        space = space_along(axes, x, labels, chosen, seed)
        return Way(space.vectors, space.hub_weight)
    if name == "pca":
        return Way(lambda rows: unit_length(axes.features(rows)))
    features = axes.features(x)
    if name == "ridge":
        projection = ridge_map(features, labels, 1.0)
    elif name == "logistic":
        projection = logistic_map(features, labels)
    elif name == "multi_similarity":
        projection = learn_map(features, labels, library_loss(name), ROWS, EPOCHS, seed)
    else:
        projection = learn_map(features, labels, _one_label_loss(name), ROWS, EPOCHS, seed, batch=128)
    return Way(lambda rows: unit_length(axes.features(rows) @ projection.T))


def _one_label_loss(name: str) -> BatchLoss:
    """The library's losses that know one label an image: one of its labels is drawn each time it is seen."""
    import torch
    from pytorch_metric_learning import distances, miners

    losses = metric_learning()
    cosine = distances.CosineSimilarity()
    triplet = losses.TripletMarginLoss(margin=0.5, distance=cosine)
    semi_hard = miners.TripletMarginMiner(margin=0.5, distance=cosine, type_of_triplets="semihard")
    angular = losses.AngularLoss(alpha=40)

    def loss(z: object, labels: Floats, rng: np.random.Generator) -> object:
        drawn = torch.from_numpy((labels * rng.random(labels.shape)).argmax(axis=1))
        return angular(z, drawn) if name == "pml_angular" else triplet(z, drawn, semi_hard(z, drawn))

    return loss
