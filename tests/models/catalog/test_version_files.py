"""A version's files fit together, its card states facts that Hugging Face's own reader understands."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from attune.models.catalog.manifest import LEANS_ON
from attune.models.catalog.model_card import card_bytes
from attune.models.catalog.onnx_file import run_onnx
from attune.models.catalog.probe_files import probe_bytes, read_probe
from attune.models.catalog.version_files import make_version
from attune.models.errors import BadProbeFile
from attune.models.files.atomic import digest_bytes
from tests.models.catalog.manifests import make

PROBE = probe_bytes(np.arange(12.0).reshape(3, 4) / 7, np.zeros(3), np.tile([1.0, 0.0], (3, 1)))


def test_the_manifest_states_the_digest_and_size_of_each_file() -> None:
    manifest, contents = make_version(make(files={}), PROBE)
    assert sorted(contents) == ["card.md", "probe.onnx", "probe.safetensors"]
    for name, content in contents.items():
        assert manifest.files[name].sha256 == digest_bytes(content)
        assert manifest.files[name].bytes == len(content)
    x = np.eye(4, dtype=np.float32)
    assert np.allclose(
        run_onnx(contents["probe.onnx"], x)[1], read_probe(contents["probe.safetensors"]).probabilities(x), atol=1e-5
    )


def test_the_same_facts_give_the_same_bytes() -> None:
    first, second = make_version(make(files={}), PROBE), make_version(make(files={}), PROBE)
    assert first == second
    assert first[0].digest == second[0].digest


def test_a_probe_that_does_not_fit_the_attribute_is_refused() -> None:
    with pytest.raises(BadProbeFile, match="has 3 classes, but the attribute has 2: yes, no"):
        make_version(make(files={}, classes=("yes", "no")), PROBE)
    with pytest.raises(BadProbeFile, match="expects 4 numbers per vector, but its encoder makes 512"):
        make_version(make(files={}, encoder={"library": "open_clip", "dimension": 512}), PROBE)


def test_hugging_face_reads_the_front_matter_and_its_evaluation() -> None:
    from huggingface_hub import ModelCard

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        card = ModelCard(card_bytes(make()).decode())
    (result,) = card.data.eval_results
    assert card.data.pipeline_tag == "image-classification"
    assert (result.metric_type, result.metric_value) == ("average_precision", 0.61)
    assert result.metric_args == {"lo": 0.5, "hi": 0.7, "n": 40}
    assert result.dataset_revision == "d" * 64


def test_the_card_tells_figures_with_intervals_and_says_what_is_not_known() -> None:
    manifest = make(
        metrics={
            "average_precision": {"value": 0.6, "lo": 0.4, "hi": 0.8, "n": 61, "method": "title bootstrap"},
            "recall:romance": {"value": None, "n": 21, "reason": "2 positive answers"},
            "cross_validated": {"value": 0.9, "lo": 0.8, "hi": 0.95, "n": 80, "method": "5-fold", "biased": True},
        }
    )
    text = card_bytes(manifest).decode()
    assert "| average_precision | 0.600 | 0.400 to 0.800 | 61 | title bootstrap |" in text
    assert "| recall:romance | – | – | 21 | 2 positive answers |" in text
    assert "biased: an early sign, no measure" in text
    assert "known within 0.40 only (61 audit answers)" in text
    assert text.count("name: cross_validated") == 0, "a biased figure is no result for the model-index"
    assert "rely on their order" in text


def test_a_card_without_figures_says_so() -> None:
    manifest = make(metrics={}, question='A "quoted" | piped\nquestion: yes?')
    text = card_bytes(manifest).decode()
    assert "Nothing was measured" in text
    assert "model-index" not in text
    assert "No audit has measured its quality" in text
    assert card_bytes(replace(manifest)) == card_bytes(manifest)


def test_the_card_of_a_probe_that_leans_on_others_names_them() -> None:
    assert "leans on" not in card_bytes(make()).decode()
    text = card_bytes(make(labels={"experts": 3, LEANS_ON: ["comedy@1", "drama@12"]})).decode()
    assert "| leans on the published probes | comedy@1, drama@12 |" in text


def test_the_card_tells_the_labels_in_words_and_keeps_what_it_does_not_know() -> None:
    labels = {"trained_on": 81, "answers": 120, "expert_weights": [0.4, 1.0], "of a later day": 3}
    text = card_bytes(make(labels=labels)).decode()
    rows = ["| answers | 120 |", "| what an answer of each expert counted | 0.400, 1.000 |"]
    rows += ["| images it learned from | 81 |", "| labels: of a later day | 3 |"]
    assert [text.index(row) for row in rows] == sorted(text.index(row) for row in rows)
