"""Files that earlier releases wrote are read for ever: pipelines pin versions for years.

``tests/data/probe-v1`` was written once; a change that makes these tests fail breaks somebody's pinned probe.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from attune.models.catalog.manifest import read_manifest
from attune.models.catalog.onnx_file import run_onnx
from attune.models.catalog.probe_files import read_probe
from attune.models.files.atomic import digest_file

OLD = sorted(path.parent for path in (Path(__file__).parents[2] / "data").glob("probe-v*/*/manifest.json"))


@pytest.mark.parametrize("folder", OLD, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_an_old_version_reads_as_it_did_when_it_was_written(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    content = (folder / "manifest.json").read_bytes()
    manifest = read_manifest(content)
    assert manifest.to_bytes() == content, "a manifest that is read and written again keeps its digest"
    assert (manifest.digest, manifest.encoder_digest) == (expected["manifest"], expected["encoder"])
    for name, entry in manifest.files.items():
        assert digest_file(folder / name) == entry.sha256
    x = np.array(expected["x"], dtype=np.float32)
    for found in (
        read_probe((folder / "probe.safetensors").read_bytes()).probabilities(x),
        run_onnx((folder / "probe.onnx").read_bytes(), x)[1],
    ):
        assert np.abs(found - np.array(expected["probabilities"])).max() < 1e-6


def test_both_shapes_of_probe_are_kept() -> None:
    assert [folder.name for folder in OLD if folder.parent.name == "probe-v1"] == ["romance", "serious-expression"]
