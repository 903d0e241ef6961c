"""How a fine-tuning stands between two epochs: the best weights so far and what is tried next, as one safetensors file.

The optimiser starts anew at each epoch, so this is all that a training needs to go on exactly where it was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from attune.models.errors import DataError

if TYPE_CHECKING:
    import torch

SLOWER = 3.0  # the rate is divided by this after an epoch that did not help
_KEY = "state"


@dataclass(frozen=True, eq=False)
class State:
    """``weights`` by name, the best so far; ``rate`` of the next epoch; ``scores`` of the start and of each epoch.

    ``misses``: epochs whose score was no better than the best before.
    """

    weights: Mapping[str, torch.Tensor]
    rate: float
    scores: tuple[float, ...] = ()
    misses: int = 0

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return max(len(self.scores) - 1, 0)

    @property
    def best_epoch(self) -> int:
        """The epoch with the best score, 0 for the start."""
        return self.scores.index(max(self.scores)) if self.scores else 0

    def after(self, score: float, weights: Mapping[str, torch.Tensor]) -> State:
        """The state once an epoch gave ``weights`` with this score: kept where it is the best, else forgotten."""
        scores = (*self.scores, score)
        if not self.scores or score > max(self.scores):
            return replace(self, weights=weights, scores=scores)
        return replace(self, rate=self.rate / SLOWER, scores=scores, misses=self.misses + 1)


def state_bytes(state: State) -> bytes:
    """The state as a safetensors file."""
    from safetensors.torch import save

    told = {"rate": state.rate, "scores": list(state.scores), "misses": state.misses}
    return save(dict(state.weights), metadata={_KEY: json.dumps(told)})


def read_state(path: str) -> State:
    """What ``state_bytes`` gave, from a file. Raises DataError for another file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            told = json.loads(file.metadata()[_KEY])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
        return State(weights, float(told["rate"]), tuple(map(float, told["scores"])), int(told["misses"]))
    except (SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
        raise DataError(f"{path} is not the state of a fine-tuning. Delete it, and start again.") from error
