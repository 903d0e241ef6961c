"""Two encoders are one exactly where their fingerprints are, through files and processes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import EncoderMismatch, UnreadableItem

CLIP = Fingerprint("open_clip", "ViT-B-32", "ab" * 32, 512, True, {"size": (224, 224), "mode": "RGB", "mean": [0.5]})


@given(
    st.builds(
        Fingerprint,
        st.text(min_size=1),
        st.text(min_size=1),
        st.text(min_size=1),
        st.integers(1, 4096),
        st.booleans(),
        st.dictionaries(st.text(), st.lists(st.floats(allow_nan=False)) | st.text()),
    )
)
def test_written_and_read_back_it_is_the_same_encoder(made: Fingerprint) -> None:
    back = Fingerprint.from_dict(json.loads(json.dumps(made.to_dict())))
    assert back == made
    assert back.digest == made.digest


@pytest.mark.parametrize(
    "change",
    [
        {"library": "timm"},
        {"model": "ViT-B-16"},
        {"weights": "cd" * 32},
        {"dimension": 513},
        {"normalised": False},
        {"preprocessing": {"size": [224, 224], "mode": "RGB", "mean": [0.5], "resize_mode": "squash"}},
    ],
)
def test_every_field_tells_encoders_apart(change: dict[str, object]) -> None:
    other = replace(CLIP, **change)  # type: ignore[arg-type]
    assert other.digest != CLIP.digest
    with pytest.raises(EncoderMismatch, match=f"differs in {next(iter(change))}"):
        CLIP.require(other, "The pool", "Do this.")


def test_a_mismatch_names_both_and_the_next_step() -> None:
    other = replace(CLIP, weights="external:" + "9" * 64)
    with pytest.raises(EncoderMismatch) as error:
        CLIP.require(other, "The pool", "Begin a workspace of its own.")
    said = str(error.value)
    assert f"weights abababababab, fingerprint {CLIP.digest[:12]}" in said
    assert f"weights external:999999999999, fingerprint {other.digest[:12]}" in said
    assert said.endswith("differs in weights. Begin a workspace of its own.")


def test_a_mismatch_of_preprocessing_alone_says_what_differs_and_the_option_that_mends_it() -> None:
    ours, theirs = (replace(CLIP, preprocessing={"size": 224, "resize_mode": mode}) for mode in ("longest", "squash"))
    with pytest.raises(EncoderMismatch) as error:
        ours.require(theirs, "The pool", "Do this.")
    assert "resize_mode squash, not longest (--resize-mode longest)" in str(error.value)
    assert "size" not in str(error.value).partition("differs in")[2].replace("--resize-mode", "").replace("resize_", "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1]", "the fingerprint's document is [1]"),
        ("{", "has no fingerprint"),
        ('{"library": "x"}', "dimension is missing"),
        (
            '{"library": "x", "model": "m", "weights": "w", "dimension": "512"}',
            "dimension is '512'. it must be a whole",
        ),
        ('{"library": "x", "model": "m", "weights": "w", "dimension": 5, "size": 3}', "size is 3. it must be absent"),
    ],
)
def test_a_file_that_holds_none_is_refused_with_the_field(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "fingerprint.json"
    path.write_text(content)
    with pytest.raises(UnreadableItem) as error:
        Fingerprint.from_file(path)
    assert words.lower() in str(error.value).lower()


def test_vectors_without_a_fingerprint_are_named_by_their_file(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    path.write_bytes(b"one")
    first = Fingerprint.external(path, 8)
    path.write_bytes(b"two")
    assert first.is_external
    assert first.weights.startswith("external:7692c3ad35")
    assert Fingerprint.external(path, 8) != first
