"""Audit answers of experts who err, made unbiased by their known errors.

An expert says yes on a share t of the images that have the property and on a share f of the others. Then
(answer - f) / (t - f) is right on average (Rogan and Gladen 1978), image by image, and since the corrected score is
linear in the answers, it stays unbiased. Of several experts the mean with the least variance is taken.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError
from attune.models.insights.outcomes import Floats

LEAST_APART = 0.1  # t - f below which an expert's answers say hardly anything


def unbiased_answers(
    answers: npt.ArrayLike, true_positive: npt.ArrayLike, false_positive: npt.ArrayLike, share: float = 0.5
) -> Floats:
    """Unbiased values (m,) of ``answers`` (m, experts): 1, 0, NaN where an expert was not asked. May be outside 0 to 1.

    ``true_positive`` and ``false_positive`` (experts,) are the experts' shares of yes; ``share`` of the images with the
    property decides only how much each expert counts. Raises DataError for shapes that do not fit, an image without an
    answer, and an expert who hardly knows the property.
    """
    given = np.asarray(answers, dtype=np.float64)
    right, wrong = (np.asarray(one, dtype=np.float64).reshape(-1) for one in (true_positive, false_positive))
    if given.ndim != 2 or not len(right) == len(wrong) == given.shape[1]:
        raise DataError(
            f"Answers have the shape {given.shape}, and errors are known of {len(right)} and {len(wrong)} experts. "
            "Give a column of answers and both errors for each expert."
        )
    apart = right - wrong
    if not (apart >= LEAST_APART).all():
        raise DataError(
            f"An expert says yes hardly more often where the property is there ({float(np.min(apart)):.2f} more). "
            "Leave out this expert's answers."
        )
    known = np.isfinite(given)
    if not known.any(axis=1).all():
        raise DataError("An audited image has no answer. Leave it out.")
    noise = (share * right * (1 - right) + (1 - share) * wrong * (1 - wrong)) / apart**2
    weight = known / np.maximum(noise, 1e-9)
    values = np.where(known, (given - wrong) / apart, 0.0)
    return np.asarray((weight * values).sum(axis=1) / weight.sum(axis=1), dtype=np.float64)
