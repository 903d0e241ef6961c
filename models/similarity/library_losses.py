"""Losses of the library pytorch-metric-learning, as other choices: multi-similarity, supervised contrastive, NT-Xent.

They take pairs instead of labels here, so that an image with several labels is never its own negative. The library's
own angular and triplet losses need one label an image; the benchmark runs them with one drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.errors import ExtraNotInstalled, SettingsError
from attune.models.similarity.angular_loss import BatchLoss
from attune.models.similarity.label_overlap import alike_pairs, foreign_pairs

Floats = npt.NDArray[np.float32]
LOSSES = {"multi_similarity": "MultiSimilarityLoss", "supervised_contrastive": "SupConLoss", "nt_xent": "NTXentLoss"}


def metric_learning() -> Any:
    """The library's module of losses. Raises ExtraNotInstalled."""
    try:
        from pytorch_metric_learning import losses
    except ImportError as error:
        raise ExtraNotInstalled(
            "This loss needs the package pytorch-metric-learning, which is not installed. Use the loss 'angular', "
            "which needs nothing more, or install it: pip install 'pytorch-metric-learning>=2.8,<3'"
        ) from error
    return losses


def library_loss(name: str) -> BatchLoss:
    """The loss of this name over capped pairs of a batch. Raises SettingsError for another name."""
    if name not in LOSSES:
        raise SettingsError(f"There is no loss {name!r}. Choose one of: angular, {', '.join(LOSSES)}.")
    inner = getattr(metric_learning(), LOSSES[name])()

    def loss(z: Any, labels: Floats, rng: np.random.Generator) -> Any:
        import torch

        a, p = alike_pairs(labels, rng)
        b, n = foreign_pairs(labels, rng)
        parts = [np.r_[a, p], np.r_[p, a], np.r_[b, n], np.r_[n, b]]
        return inner(z, indices_tuple=tuple(torch.from_numpy(part) for part in parts))

    return loss
