"""A property that a probe says, with the audits that show where it errs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError
from attune.models.insights.outcomes import Floats, Ints


@dataclass(frozen=True, eq=False)
class Probed:
    """``probability`` (assets,) of the property, NaN where an asset has no score; make it with ``probed``.

    ``says`` (assets,) is the thresholded class, 1 or 0. ``audited`` (m,) are asset numbers, each once; ``answer`` (m,)
    is what experts say there, 1 or 0, a share where they differ, or an unbiased value (``expert_errors``);
    ``inclusion`` (m,) is the probability with which the asset came into the audit.
    """

    probability: Floats
    says: Floats
    audited: Ints
    answer: Floats
    inclusion: Floats


def probed(
    probability: npt.ArrayLike,
    audited: npt.ArrayLike,
    answer: npt.ArrayLike,
    inclusion: npt.ArrayLike,
    says: npt.ArrayLike | None = None,
) -> Probed:
    """Check the arrays of ``Probed``; ``says`` is the side of 0.5 by default.

    ``inclusion`` covers every step of the draw: the share of titles that are reserved for audits, times
    ``AuditDesign.inclusions``. Only audited assets outside the probe's training titles may be given, and scores of
    training titles should be cross-fitted: a probe errs less on what it learned. Raises DataError for arrays that do
    not fit, an asset that is audited twice or has no score, and probabilities outside their range.
    """
    p = np.asarray(probability, dtype=np.float64).reshape(-1)
    rows = np.asarray(audited, dtype=np.intp).reshape(-1)
    answers, pi = (np.asarray(column, dtype=np.float64).reshape(-1) for column in (answer, inclusion))
    side = np.where(np.isnan(p), np.nan, p >= 0.5) if says is None else np.asarray(says, dtype=np.float64).reshape(-1)
    if len(side) != len(p) or not len(rows) == len(answers) == len(pi):
        raise DataError(
            f"There are {len(p)} probabilities and {len(side)} classes, and {len(rows)} audits with {len(answers)} "
            f"answers and {len(pi)} inclusion probabilities. Give one of each."
        )
    if len(np.unique(rows)) != len(rows):
        raise DataError("An image is audited twice. Give one answer for each image: the share of experts who say yes.")
    if len(rows) and not (rows.min() >= 0 and rows.max() < len(p) and np.isfinite(p[rows]).all()):
        raise DataError("An audited image has no probability. Score it first, or leave its audit out.")
    if not ((p >= 0) & (p <= 1) | np.isnan(p)).all() or not ((pi > 0) & (pi <= 1)).all():
        raise DataError(
            "A probability is outside its range. Probabilities are from 0 to 1, inclusion probabilities above 0 and "
            "at most 1."
        )
    if not np.isfinite(answers).all():
        raise DataError("An audit has no answer. Give 1, 0, or a share between them.")
    return Probed(p, side, rows, answers, pi)
