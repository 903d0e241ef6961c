"""ONNX says what numpy says, and a file that does not is caught."""

from __future__ import annotations

import json

import numpy as np
import pytest

from attune.models.catalog.onnx_file import check_onnx, onnx_bytes, run_onnx
from attune.models.catalog.probe_files import ProbeWeights
from attune.models.errors import BadProbeFile


def make(k: int, d: int = 32) -> ProbeWeights:
    generator = np.random.default_rng(k)
    calibration = np.column_stack([generator.uniform(0.5, 3, k), generator.normal(size=k)])
    return ProbeWeights(generator.normal(size=(k, d)) * 5, generator.normal(size=k), calibration)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_outputs_equal_those_of_numpy(k: int) -> None:
    probe = make(k)
    content = onnx_bytes(probe, [f"class {i}" for i in range(probe.classes)])
    assert check_onnx(content, probe) <= 1e-5
    x = np.random.default_rng(1).normal(size=(7, 32)).astype(np.float32)
    logit, probability = run_onnx(content, x)
    assert logit.shape == (7, k)
    assert np.allclose(logit, probe.logits(x), atol=1e-4)
    assert np.allclose(probability, probe.probabilities(x), atol=1e-5)


def test_equal_probes_give_equal_bytes_that_name_their_classes_and_encoder() -> None:
    import onnx

    content = onnx_bytes(make(1), ["ernst", "fröhlich"], "f" * 64)
    assert onnx_bytes(make(1), ["ernst", "fröhlich"], "f" * 64) == content
    properties = {item.key: item.value for item in onnx.load_from_string(content).metadata_props}
    assert json.loads(properties["classes"]) == ["ernst", "fröhlich"]
    assert properties["encoder"] == "f" * 64


def test_another_probe_or_no_model_at_all_is_refused() -> None:
    with pytest.raises(BadProbeFile, match=r"from numpy \(allowed: 1e-05\)"):
        check_onnx(onnx_bytes(make(3), ["a", "b", "c"]), ProbeWeights(*(-part for part in vars(make(3)).values())))
    with pytest.raises(BadProbeFile, match="does not run in onnxruntime"):
        run_onnx(b"not a model", np.ones((1, 32)))
    with pytest.raises(BadProbeFile, match="has 2 classes"):
        onnx_bytes(make(1), ["a", "b", "c"])
