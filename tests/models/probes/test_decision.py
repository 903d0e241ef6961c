"""Which class is said: the leading one, the first from its threshold on, and none where none leads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.catalog.probe_files import ProbeWeights
from attune.models.catalog.score_vectors import score_file
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.probes.decision import NO_LABEL, TIE, decide
from attune.models.probes.learner import LearnerSettings, fit
from tests.models.catalog.manifests import make
from tests.models.worlds import world

ENCODER = Fingerprint("open_clip", "tiny", "ab" * 32, 4)
HALF = {"a": 0.5, "b": 0.5}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.01, 0.99))
def test_of_two_the_threshold_decides(first: list[float], line: float) -> None:
    p = np.stack([np.array(first), 1 - np.array(first)], axis=1)
    found = decide(p, ("a", "b"), {"a": line})
    leads = np.abs(p[:, 0] - p[:, 1]) > TIE
    if abs(line - 0.5) > TIE:
        assert (found == np.where(p[:, 0] >= line, 0, 1)).all()
    else:
        assert ((found == NO_LABEL) == ~leads).all()


@given(st.integers(2, 6), st.integers(0, 10_000), st.floats(0, 0.9 * TIE))
def test_a_tie_at_the_top_has_no_label(classes: int, seed: int, apart: float) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes))
    top, other = rng.permutation(classes)[:2]
    p[top] = p.max() + 0.1
    p[other] = p[top] - apart * p.sum()
    p /= p.sum()
    names = tuple("abcdef"[:classes])
    assert decide(p[None], names, {})[0] == NO_LABEL
    p[top] += 1e-4
    p /= p.sum()
    assert decide(p[None], names, {})[0] == top


@pytest.mark.parametrize(("line", "label"), [(0.5, None), (0.3, "a"), (0.7, "b")])
def test_even_probabilities_in_a_file(tmp_path: Path, line: float, label: str | None) -> None:
    x = np.eye(4, dtype=np.float32)
    np.savez(tmp_path / "v.npz", ids=list("wxyz"), vectors=x)
    manifest = make(classes=("a", "b"), thresholds={"a": line, "b": 1 - line}, encoder=ENCODER.to_dict())
    nothing = ProbeWeights(np.zeros((1, 4)), np.zeros(1), [[1.0, 0.0]])
    score_file(manifest, nothing, tmp_path / "v.npz", tmp_path / "s.parquet", fingerprint=ENCODER)
    told = pq.read_table(tmp_path / "s.parquet")
    assert told["label"].to_pylist() == [label] * 4
    assert told["class"].to_pylist() == ["a"] * 4
    assert told["probability"].to_pylist() == [0.5] * 4


def test_two_of_three_tied_classes_in_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", ids=["x", "y"], vectors=np.eye(4, dtype=np.float32)[:2])
    weight = np.zeros((3, 4))
    weight[1, 1] = 2
    even = ProbeWeights(weight, [3.0, 1.0, 3.0], np.tile([1.0, 0.0], (3, 1)))
    manifest = make(encoder=ENCODER.to_dict())
    score_file(manifest, even, tmp_path / "v.npz", tmp_path / "s.parquet", fingerprint=ENCODER)
    assert pq.read_table(tmp_path / "s.parquet")["label"].to_pylist() == [None] * 6


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["unsure", "contradicted"])
def test_experts_who_decide_nothing_give_no_label(classes: int, kind: str) -> None:
    from attune.models.clock import now
    from attune.models.labels.answers import UNSURE, Answer
    from attune.models.labels.labels import consensus

    here = world(classes=classes)
    values = [UNSURE] if kind == "unsure" else list(here.classes)
    answers = [
        Answer(str(here.pool.asset_ids[i]), str(here.pool.title_ids[i]), f"expert {number}", value, "spread", now())
        for i in range(200)
        for number, value in enumerate(values)
    ]
    probe = fit(here.pool, consensus(answers, here.classes), here.classes, None, LearnerSettings(), 5)
    told = decide(probe.predict_proba(here.pool.rows(np.arange(600))), here.classes, dict.fromkeys(here.classes, 0.5))
    assert (told == NO_LABEL).all()
