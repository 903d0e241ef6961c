"""Which answers tell how far experts agree: given without a look at others', on images that no doubt chose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from attune.models.evaluation.splits import unit_hash
from attune.models.labels.answers import SECOND_OPINION, Answer

# Of all images. Half of the second opinions at first, and what is left for doubtful images grows with the answers.
SHARE = 0.05


def drawn_at_random(asset_ids: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """Which images get another opinion at random, bool (n,): a hash of the id that no answer enters."""
    return random_ranks(asset_ids, seed) < SHARE


def random_ranks(asset_ids: Sequence[str], seed: int) -> NDArray[np.float64]:
    """The lot of each image, float64 (n,) in [0, 1): the lowest are asked again first."""
    return unit_hash(asset_ids, seed, "second opinion")


def comparable(answers: Iterable[Answer], own: Collection[tuple[str, str]], seed: int) -> list[Answer]:
    """The ``answers`` that agreement may be measured on.

    Without images that were asked again because they looked doubtful, and without those of ``own``, pairs (asset id,
    expert) of what experts chose themselves: whoever chooses an image in Explore or a gallery may have read what others
    or the probe say of it. The others' answers on the same image stay.
    """
    return [one for one in without_doubt_driven(answers, seed) if (one.asset_id, one.expert) not in own]


def without_doubt_driven(answers: Iterable[Answer], seed: int) -> list[Answer]:
    """``answers`` without those on images that were asked again because they looked doubtful.

    There experts disagree by choice: in 25 drawn campaigns of two experts, each right on nine images of ten,
    Krippendorff's alpha over all shared images was -.06, and .58 in truth. Images shared by lot, by an import or on a
    page stay.
    """
    answer_list = list(answers)
    again = sorted({answer.asset_id for answer in answer_list if answer.purpose == SECOND_OPINION})
    doubtful = {asset for asset, lot in zip(again, drawn_at_random(again, seed), strict=True) if not lot}
    return [answer for answer in answer_list if answer.asset_id not in doubtful]
