"""An angular loss for labels of several values, and the linear map that it learns.

Of Wang et al. 2017 (arXiv 1708.01682): seen from a negative, a positive pair must fit into the angle alpha. The
library pytorch-metric-learning has it for one label an image only. Here a pair is positive where its labels overlap
enough, and a negative shares no label with either side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.similarity.label_overlap import PAIRS, alike_pairs

Floats = npt.NDArray[np.float32]
SOFTNESS = 0.5  # below 1 more negatives count than the hardest alone
BatchLoss = Callable[[Any, Floats, np.random.Generator], Any]


def angular_loss(z: Any, labels: Floats, rng: np.random.Generator, alpha: float, pairs: int = PAIRS) -> Any:
    """The loss of one batch: a torch scalar, 0 where no pair is alike or nothing is foreign to a pair.

    ``z`` torch (n, d) of unit length, ``labels`` (n, k) multi-hot, ``alpha`` in degrees. For a pair (a, p) it is
    ``log(1 + sum over n of exp(s (4 t (a+p).n - 2 (1+t) a.p + 2 - 6 t)))``, with ``t = tan(alpha)^2``. The sum over
    negatives is one product of two (n, n) matrices, so that nothing of pairs x batch is ever held.
    """
    import torch

    first, second = alike_pairs(labels, rng, pairs)
    if not len(first):
        return z.sum() * 0.0
    t = float(np.tan(np.radians(alpha)) ** 2)
    cosines = z @ z.T
    foreign = torch.from_numpy((labels @ labels.T == 0).astype(np.float32))
    from_negatives = torch.exp(4 * t * SOFTNESS * cosines) * foreign
    a, p = torch.from_numpy(first), torch.from_numpy(second)
    total = (from_negatives @ from_negatives.T).flatten().index_select(0, a * len(z) + p)
    closeness = cosines.flatten().index_select(0, a * len(z) + p)
    return torch.log1p(total * torch.exp(SOFTNESS * (2 - 6 * t - 2 * (1 + t) * closeness))).mean()


def batches(n: int, size: int, epochs: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.intp]]:
    """Row numbers of one batch after another, each row once an epoch; what is left of an epoch is dropped."""
    size = min(size, n)
    for _ in range(epochs):
        order = rng.permutation(n)
        yield from (order[start : start + size] for start in range(0, n - size + 1, size))


def learn_map(
    features: Floats, labels: Floats, loss: BatchLoss, rows: int, epochs: int, seed: int, batch: int = 256
) -> Floats:
    """A linear map (rows, p) of ``features`` (n, p) that lowers ``loss`` of the mapped rows at unit length.

    The same seed gives the same map on one machine. One thread of torch: its small products wait for a second one.
    """
    import torch

    rng = np.random.default_rng([seed, 61])
    start = rng.standard_normal((rows, features.shape[1])) / np.sqrt(features.shape[1])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        weight = torch.tensor(start, dtype=torch.float32, requires_grad=True)
        optimiser = torch.optim.Adam([weight], lr=3e-3)
        steps = list(batches(len(features), batch, epochs, rng))
        rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=max(len(steps), 2))
        for chosen in steps:
            x = torch.from_numpy(np.ascontiguousarray(features[chosen]))
            value = loss(torch.nn.functional.normalize(x @ weight.T, dim=1), labels[chosen], rng)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            rate.step()
    finally:
        torch.set_num_threads(threads)
    return np.asarray(weight.detach().numpy(), dtype=np.float32)
