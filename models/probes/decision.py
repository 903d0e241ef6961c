"""Which class a probe says of an image: one rule for feature values, `attune score` and the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

TIE = 1e-6  # two highest probabilities as close as this are a tie: no class leads
NO_LABEL = -1


def decide(
    probabilities: npt.NDArray[np.float64], classes: Sequence[str], thresholds: Mapping[str, float]
) -> npt.NDArray[np.int32]:
    """The position of the class of each row of ``probabilities`` (n, c), int32 (n,), or ``NO_LABEL`` for a tie.

    Of two classes the first one from its threshold on (one half where there is none), of more the likeliest. A tie is
    never the first class's: a probe that knows nothing gives even probabilities. A threshold other than one half says
    what to do with even ones, so it decides them.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    line = thresholds.get(classes[0], 0.5)
    if len(classes) == 2:
        indices = np.where(p[:, 0] >= line, 0, 1)
        if abs(line - 0.5) > TIE:
            return indices.astype(np.int32)
    else:
        indices = p.argmax(axis=1)
    top = np.partition(p, -2, axis=1)[:, -2:]
    return np.where(top[:, 1] - top[:, 0] <= TIE, NO_LABEL, indices).astype(np.int32)
