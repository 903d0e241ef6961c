"""A probe's bytes come back as the same probe, and wrong ones are refused in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from attune.models.catalog.probe_files import ProbeWeights, probabilities, probe_bytes, read_probe
from attune.models.errors import BadProbeFile, DataError
from attune.models.probes.probe import Probe


def make(k: int, d: int = 8, seed: int = 0) -> ProbeWeights:
    generator = np.random.default_rng(seed)
    calibration = np.column_stack([generator.uniform(0.5, 2, k), generator.normal(size=k)])
    return ProbeWeights(
        generator.normal(size=(k, d)).astype(np.float32), generator.normal(size=k).astype(np.float32), calibration
    )


@given(k=st.sampled_from([1, 3, 4]), d=st.integers(1, 40), seed=st.integers(0, 1000))
def test_bytes_come_back_as_the_same_probe_and_are_stable(k: int, d: int, seed: int) -> None:
    probe = make(k, d, seed)
    content = probe_bytes(probe.weight, probe.bias, probe.calibration)
    again = read_probe(content)
    assert np.array_equal(again.weight, probe.weight)
    assert np.array_equal(again.bias, probe.bias)
    assert np.array_equal(again.calibration, probe.calibration)
    assert probe_bytes(again.weight, again.bias, again.calibration) == content


@given(
    k=st.sampled_from([1, 3, 5]),
    z=st.lists(st.floats(-1e4, 1e4, width=32), min_size=5, max_size=5),
)
def test_probabilities_sum_to_one_and_follow_the_logits(k: int, z: list[float]) -> None:
    logits = np.array([z[:k]])
    found = probabilities(logits)
    assert found.shape == (1, 2 if k == 1 else k)
    assert found.sum() == pytest.approx(1)
    if k == 1:
        assert (found[0, 0] > 0.5) == (1 / (1 + np.exp(-min(max(z[0], -700), 700))) > 0.5)
    else:
        assert found[0].argmax() in np.flatnonzero(found[0] == found[0, logits[0].argmax()])


def test_two_classes_read_as_a_sigmoid_of_the_first() -> None:
    probe = ProbeWeights(np.array([[2.0, 0.0]]), np.array([-1.0]), np.array([[3.0, 0.5]]))
    x = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    assert probe.logits(x)[:, 0].tolist() == [3.5, -2.5]
    assert probe.probabilities(x)[:, 0] == pytest.approx([1 / (1 + np.exp(-3.5)), 1 / (1 + np.exp(2.5))])
    assert probe.classes == 2


def test_agrees_with_the_probe_that_was_fitted() -> None:
    fitted = Probe(classes=["a", "b", "c"])
    generator = np.random.default_rng(3)
    x = generator.normal(size=(60, 16)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    fitted.fit(x, np.array(["a", "b", "c"])[generator.integers(0, 3, 60)])
    read = read_probe(probe_bytes(fitted.weight_, fitted.bias_, fitted.calibration_))
    assert np.abs(read.probabilities(x) - fitted.predict_proba(x)).max() < 1e-6


@pytest.mark.parametrize(
    ("weight", "bias", "calibration"),
    [
        (np.ones((2, 3)), np.ones(2), np.ones((2, 2))),
        (np.ones(3), np.ones(1), np.ones((1, 2))),
        (np.ones((1, 3)), np.ones(2), np.ones((1, 2))),
        (np.ones((3, 3)), np.ones(3), np.ones((3, 1))),
        (np.full((1, 3), np.nan), np.ones(1), np.ones((1, 2))),
        (np.ones((1, 0)), np.ones(1), np.ones((1, 2))),
    ],
)
def test_a_probe_of_wrong_shape_cannot_be_built(weight: np.ndarray, bias: np.ndarray, calibration: np.ndarray) -> None:
    with pytest.raises(BadProbeFile):
        probe_bytes(weight, bias, calibration)


def test_a_file_that_is_none_says_so() -> None:
    good = probe_bytes(np.ones((1, 3)), np.ones(1), np.ones((1, 2)))
    for bad in (b"", b"PK\x03\x04 a pickle in a zip", good[:-3], good[: len(good) // 2]):
        with pytest.raises(BadProbeFile, match=r"probe\.safetensors is not a safetensors .* publish the probe again"):
            read_probe(bad)
    with pytest.raises(BadProbeFile, match="'bias' is wrong"):
        read_probe(save({"weight": np.ones((1, 3), np.float32), "calibration": np.ones((1, 2), np.float32)}))
    with pytest.raises(BadProbeFile, match="'weight' is wrong"):
        read_probe(save({name: np.ones((1, 2)) for name in ("weight", "bias", "calibration")}))


def test_vectors_of_another_length_are_refused_with_both_lengths() -> None:
    with pytest.raises(DataError, match=r"shape \(2, 4\), but the probe expects \(n, 8\)"):
        make(1).probabilities(np.ones((2, 4)))
