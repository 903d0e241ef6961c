"""``probe.onnx``: the same head for programs that speak ONNX, checked against numpy before it is published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.catalog.probe_files import ProbeWeights
from attune.models.errors import BadProbeFile

FILE_NAME = "probe.onnx"
TOLERANCE = 1e-5
# Old enough for runtimes of several years ago; the graph needs nothing newer.
_OPSET, _IR = 13, 8


def onnx_bytes(probe: ProbeWeights, classes: Sequence[str], encoder_digest: str = "") -> bytes:
    """An ONNX model of ``probe``: input ``embedding`` float32 (n, d), unit length; outputs ``logit`` (n, k) and
    ``probability`` (n, classes). Its metadata hold the class names and the encoder's digest.

    Raises BadProbeFile where the number of class names does not fit.
    """
    from onnx import checker, helper

    if len(classes) != probe.classes:
        raise BadProbeFile(
            f"The probe has {probe.classes} classes, but {list(classes)} are {len(classes)} names. Give one "
            "name per class."
        )
    model = helper.make_model(
        _graph(probe), producer_name="attune", ir_version=_IR, opset_imports=[helper.make_opsetid("", _OPSET)]
    )
    helper.set_model_props(model, {"classes": json.dumps(list(classes)), "encoder": encoder_digest})
    checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _graph(probe: ProbeWeights) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    slope, offset = probe.calibration.T
    constants = {"weight": probe.weight.T, "bias": probe.bias, "slope": slope, "offset": offset}
    nodes = [
        helper.make_node("MatMul", ["embedding", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["raw"]),
        helper.make_node("Mul", ["raw", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["logit"]),
    ]
    if probe.classes == 2:
        constants["one"] = np.ones(1, dtype=np.float32)
        nodes += [
            helper.make_node("Sigmoid", ["logit"], ["first"]),
            helper.make_node("Sub", ["one", "first"], ["second"]),
            helper.make_node("Concat", ["first", "second"], ["probability"], axis=1),
        ]
    else:
        nodes.append(helper.make_node("Softmax", ["logit"], ["probability"], axis=1))

    def port(name: str, width: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])

    return helper.make_graph(
        nodes,
        "probe",
        [port("embedding", probe.dimension)],
        [port("logit", len(probe.weight)), port("probability", probe.classes)],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )


def run_onnx(content: bytes, x: npt.ArrayLike) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Logits (n, k) and probabilities (n, classes) as onnxruntime computes them on one core.

    Raises BadProbeFile where the runtime does not take the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        logit, probability = session.run(["logit", "probability"], {"embedding": np.asarray(x, dtype=np.float32)})
    except Exception as error:  # the runtime's errors have no common root
        raise BadProbeFile(
            f"{FILE_NAME} does not run in onnxruntime. Pull it again, or publish the probe again."
        ) from error
    return logit, probability


def check_onnx(content: bytes, probe: ProbeWeights, seed: int = 0, rows: int = 256) -> float:
    """The largest difference of probability between ONNX and numpy on ``rows`` random unit vectors.

    Raises BadProbeFile where it is above ``TOLERANCE``.
    """
    x = np.random.default_rng(seed).normal(size=(rows, probe.dimension))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    difference = float(np.abs(run_onnx(content, x)[1] - probe.probabilities(x)).max())
    if not difference <= TOLERANCE:
        raise BadProbeFile(
            f"{FILE_NAME} gives probabilities that differ by {difference:.2g} from numpy (allowed: "
            f"{TOLERANCE:g}). Nothing was published. Check the run's calibration: its slope is unusually large."
        )
    return difference
