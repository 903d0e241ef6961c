"""Which weights are trained, that gradients in parts are those of the whole, and what is kept between two epochs."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attune.models.errors import DataError, EncoderError
from attune.models.similarity.network_state import State, read_state, state_bytes
from attune.models.similarity.network_tower import put_weights, trained_names
from attune.models.similarity.network_training import Network, NetworkSettings, Pictures, train

SIDE = 4


def pictures(count: int = 64) -> Pictures:
    rng = np.random.default_rng(1)
    kind = np.arange(count) % 2
    pixels = rng.standard_normal((count, 3, SIDE, SIDE)) + kind[:, None, None, None] * 0.3
    return Pictures(pixels.astype(np.float16), np.arange(count), np.eye(2, dtype=np.float32)[kind])


def apart(z: Any, labels: Any, rng: Any) -> Any:
    """A loss of all pairs of a batch: those of one kind together, the others apart."""
    same = z.new_tensor(labels @ labels.T)
    return ((z @ z.T - (2 * same - 1)) ** 2).mean()


def test_the_last_blocks_are_trained_with_all_that_comes_after_them() -> None:
    import torch

    from tests.models.similarity.tiny_tower import Tiny

    tower = Tiny()
    last = trained_names(tower, 1)
    assert set(last) == {"proj", "resblocks.1.weight", "resblocks.1.bias", "ln_post.weight", "ln_post.bias"}
    assert trained_names(tower, 99) == trained_names(tower, 2)
    assert set(trained_names(tower, None)) == {name for name, _ in tower.named_parameters()}
    with pytest.raises(EncoderError, match="--fine-tune all"):
        trained_names(torch.nn.Linear(2, 2), 1)
    with pytest.raises(DataError, match=r"network\.base"):
        put_weights(tower, {"resblocks.7.weight": torch.zeros(8, 8)})


def test_parts_of_a_batch_give_the_gradients_of_the_whole() -> None:
    from tests.models.similarity.tiny_tower import network

    told = []
    for at_once in (8, 3):
        calls = itertools.count(0.0)
        settings = NetworkSettings(None, 1, 8, at_once)
        one, _ = train(network(), pictures(), apart, lambda _, calls=calls: next(calls), settings, seed=2)
        told.append(one.weights())
    whole, parts = told
    assert all(whole[name].allclose(parts[name], atol=1e-5) for name in whole)
    assert not whole["start.weight"].allclose(network().weights()["start.weight"])


def test_what_is_not_named_stays_and_the_best_epoch_wins() -> None:
    from tests.models.similarity.tiny_tower import Tiny, network

    scores = iter((0.0, 2.0, 1.0, 1.5))
    seen: list[dict[str, Any]] = []

    def score(one: Network) -> float:
        seen.append(one.weights())
        return next(scores)

    before = Tiny().start.weight
    best, state = train(network(1), pictures(), apart, score, NetworkSettings(1, 3, 32, 32), seed=2)
    assert (state.best_epoch, state.misses) == (1, 2)
    assert state.rate == pytest.approx(NetworkSettings.rate / 9)
    assert best.weights()["proj"].equal(seen[1]["proj"])
    assert best.encoder.model.visual.start.weight.equal(before)


def test_a_state_on_disk_is_the_same_and_another_file_is_named(tmp_path: Path) -> None:
    import torch

    state = State({"a": torch.arange(3.0)}, 0.1).after(1.0, {"a": torch.ones(3)}).after(0.5, {"a": torch.zeros(3)})
    path = tmp_path / "state.safetensors"
    path.write_bytes(state_bytes(state))
    again = read_state(str(path))
    assert again.weights["a"].tolist() == [1, 1, 1]
    assert (again.rate, again.scores, again.misses, again.epoch) == (state.rate, (1.0, 0.5), 1, 1)
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="not the state"):
        read_state(str(path))
