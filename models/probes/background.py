"""What stands for a class that no one answered yet: images of the pool that no one answered either.

Images without an answer are mostly not of the class, and some are: enough to say in which direction it may lie, too
little to say how frequent it is (learning from positive and unlabelled examples; Elkan and Noto, KDD 2008). So the
directions are kept, and the bias is set to what the answers say: none of them is of the class. It is the correction of
case-control samples (King and Zeng, Political Analysis 9(2), 2001, equation 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.vectors.pool import IntArray, Pool

SIZE = 200  # random images that stand for the classes that no one answered yet
FEW = 50  # of a sample, below which it is drawn again from the images without an answer alone
HALF = 0.5  # an answer: what a class without one is believed to have (Jeffreys' prior)


@dataclass(frozen=True, eq=False)
class Background:
    """What stands in: pool indices (b,), the ``weight`` of each beside a sure answer, in (0, 1], and by how much that
    makes a class without an answer too likely: ``shift``, in log odds, at least 0."""

    index: IntArray
    weight: float
    shift: float

    def excess(self, missing: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """What the biases (k,) have too much, for the classes ``missing`` (c,) bool; k = 1 for two classes."""
        if len(missing) > 2:
            return (self.shift * missing).astype(np.float32)
        # One head speaks for the first of two classes and against the second.
        return np.array([self.shift * (float(missing[0]) - float(missing[1]))], dtype=np.float32)


def background(
    pool: Pool, answered: npt.NDArray[np.intp], weight: float, answers: float, rng: np.random.Generator
) -> Background:
    """At most ``SIZE`` images that no one answered, at random; none where all are answered.

    ``answered`` pool indices, any order, -1 for what is not in the pool; ``weight`` > 0: what the examples and answers
    weigh together, and ``answers`` >= 0: the answers alone. The stand-ins together weigh no more than that, and each no
    more than an answer.
    """
    sample = pool.sample(SIZE, rng)
    sample = sample[~np.isin(sample, answered)]
    if len(sample) < FEW:
        free = np.setdiff1d(np.arange(len(pool), dtype=np.intp), answered)
        sample = free if len(free) <= SIZE else np.sort(rng.choice(free, SIZE, replace=False))
    if not len(sample):
        return Background(sample, 0.0, 0.0)
    each = min(1.0, weight / len(sample))
    learned, believed = each * len(sample) / weight, HALF / (answers + HALF)
    return Background(sample, each, max(0.0, float(np.log(learned / believed))))
