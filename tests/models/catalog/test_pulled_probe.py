"""A pulled folder as an object: the same probabilities as the files hold, and a folder that is damaged is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import attune
from attune.models.errors import BadProbeFile, DigestMismatch, EncoderMismatch

OLD = Path(__file__).parents[2] / "data" / "probe-v1"


@pytest.mark.parametrize("folder", sorted(OLD.iterdir()), ids=lambda folder: folder.name)
def test_the_probabilities_are_those_of_the_version(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    probe = attune.load_probe(folder)
    found = probe.probabilities(expected["x"])
    assert found.shape == (len(expected["x"]), len(probe.classes))
    assert np.abs(found - np.array(expected["probabilities"])).max() < 1e-5
    assert probe.encoder.dimension == probe.dimension


def test_a_folder_without_a_probe_and_altered_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadProbeFile, match=r"attune\.pull"):
        attune.load_probe(tmp_path)
    one, other = sorted(OLD.iterdir())
    shutil.copytree(one, tmp_path / "probe")
    shutil.copy(other / "probe.safetensors", tmp_path / "probe")
    with pytest.raises(DigestMismatch):
        attune.load_probe(tmp_path / "probe")


def test_a_file_is_scored_only_with_vectors_of_the_probes_encoder(tmp_path: Path) -> None:
    probe = attune.load_probe(OLD / "romance")
    x = np.eye(probe.dimension, dtype=np.float32)[:5]
    np.savez(tmp_path / "x.npz", ids=np.array(list("abcde")), vectors=x)
    with pytest.raises(EncoderMismatch):
        attune.score(probe, tmp_path / "x.npz", to=tmp_path / "p.parquet")
    done = attune.score(probe, str(tmp_path / "x.npz"), to=str(tmp_path / "p.parquet"), assume_fingerprint=True)
    table = pq.read_table(tmp_path / "p.parquet").to_pydict()
    assert (done.assets, table["asset_id"][:3]) == (5, ["a", "a", "a"])
    assert np.abs(np.array(table["probability"]).reshape(5, 3) - probe.probabilities(x)).max() < 1e-6
