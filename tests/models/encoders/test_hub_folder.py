"""A hub's cache that was carried here on a stick: read in each of its shapes, and the same encoder as by its tag.

The hub itself is the one thing that is pretended here, as nothing can be downloaded; the files that are loaded are the
sample's, a real open_clip model by the same path as any other.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from attune.labeler.sample import ENCODER_CONFIG, ENCODER_WEIGHTS
from attune.models.encoders.available import licence_beside
from attune.models.encoders.choice import choose
from attune.models.encoders.encoders import OpenClipEncoder
from attune.models.encoders.hub_folder import weights_in
from attune.models.encoders.weights import locate
from attune.models.errors import DataError, UnknownEncoder, WeightsUnavailable

REPOSITORY = "models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K"
TAG = "laion2b_s34b_b79k"


def carry(folder: Path, repository: str = REPOSITORY, content: bytes = b"weights") -> Path:
    """A hub's cache below ``folder`` with one repository; its file."""
    snapshot = folder / "hub" / repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    refs = folder / "hub" / repository / "refs"
    refs.mkdir()
    (refs / "main").write_text("a" * 40)
    path = snapshot / "open_clip_model.safetensors"
    path.write_bytes(content)
    (snapshot / "README.md").write_text("---\nlicense: mit\ntags: [clip]\n---\n# A model")
    return path


@pytest.mark.parametrize("below", ["", "hub", f"hub/{REPOSITORY}", f"hub/{REPOSITORY}/snapshots/{'a' * 40}"])
def test_each_shape_of_a_hubs_cache_is_read(tmp_path: Path, below: str) -> None:
    path = carry(tmp_path)
    assert locate("ViT-B-32", str(tmp_path / below)).path == path
    assert choose(str(tmp_path / below)) == ("ViT-B-32", str(tmp_path / below))
    assert choose("ViT-B-32", str(tmp_path / below)) == ("ViT-B-32", str(tmp_path / below))


def test_weights_of_a_folder_ask_what_their_tag_asks(tmp_path: Path) -> None:
    carry(tmp_path, "models--timm--ViT-B-16-SigLIP")
    (found,) = weights_in(tmp_path, "ViT-B-16-SigLIP")
    checkpoint = locate("ViT-B-16-SigLIP", str(tmp_path))
    assert found.tag == "webli"
    assert tuple(checkpoint.preprocessing["mean"]) == (0.5, 0.5, 0.5)
    carry(tmp_path, "models--timm--vit_base_patch32_clip_224.openai")
    assert locate("ViT-B-32", str(tmp_path)).quick_gelu


def test_several_weights_are_named_each_with_its_command(tmp_path: Path) -> None:
    carry(tmp_path)
    carry(tmp_path, "models--laion--CLIP-ViT-B-32-DataComp.XL-s13B-b90K", b"others")
    for ask in (lambda: locate("ViT-B-32", str(tmp_path)), lambda: choose(str(tmp_path))):
        with pytest.raises(UnknownEncoder) as error:
            ask()
        lines = [line.strip() for line in str(error.value).splitlines()[1:]]
        assert len(lines) == 2
        for line in lines:
            words = line.split()
            assert words[:3] == ["attune", "encoder", "use"]
            assert locate(words[3], words[5]).path.is_file()
    assert choose(str(tmp_path), TAG) == ("ViT-B-32", str(tmp_path))


def test_a_folder_without_the_models_weights_says_what_it_holds(tmp_path: Path) -> None:
    carry(tmp_path)
    with pytest.raises(WeightsUnavailable, match=r"no weights of ViT-L-14 .* of ViT-B-32"):
        locate("ViT-L-14", str(tmp_path))
    with pytest.raises(WeightsUnavailable, match="models--OWNER--NAME"):
        choose(str(tmp_path / "hub" / REPOSITORY / "refs" / ".."), "nonsense")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A repository downloaded into a folder of its own: the sample's weights under the hub's names."""
    folder = tmp_path / "attune-sample"
    folder.mkdir()
    shutil.copy(ENCODER_WEIGHTS, folder / "open_clip_model.safetensors")
    held = {"model_cfg": json.loads(ENCODER_CONFIG.read_text()), "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(held))
    return folder


def test_a_plain_download_loads_as_the_same_encoder(plain: Path) -> None:
    by_folder = OpenClipEncoder.load(*choose(str(plain)), "squash", "cpu")
    by_file = OpenClipEncoder.load(str(ENCODER_CONFIG), str(ENCODER_WEIGHTS), "squash", "cpu")
    assert by_folder.fingerprint.weights == by_file.fingerprint.weights
    texts = ["two people", "a house"]
    assert (by_folder.encode_texts(texts) == by_file.encode_texts(texts)).all()


def test_a_config_or_a_checkpoint_finds_its_other_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attune.models.encoders.choice.cached", lambda tag: None)  # whatever this machine has
    wanted = (str(ENCODER_CONFIG), str(ENCODER_WEIGHTS))
    assert choose(str(ENCODER_CONFIG)) == wanted
    assert choose(str(ENCODER_WEIGHTS)) == wanted
    (tmp_path / "alone.safetensors").write_bytes(b"weights")
    with pytest.raises(DataError, match="attune encoder use MODEL --pretrained"):
        choose(str(tmp_path / "alone.safetensors"))
    with pytest.raises(DataError, match="ViT-B-32 needs the name of its weights"):
        choose("ViT-B-32")
    with pytest.raises(UnknownEncoder, match=r"Did you mean .*ViT-B-32"):
        choose("vit-b-32")


def test_a_relative_path_is_kept_whole_for_workers(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(plain.parent)
    assert all(Path(part).is_absolute() for part in choose("attune-sample"))
    (plain.parent / "w.pt").write_bytes(b"weights")
    assert choose("ViT-B-32", "w.pt") == ("ViT-B-32", str(plain.parent / "w.pt"))


LIST = """
import json
from attune.models.encoders.available import list_weights
found = [one for one in list_weights("b-32 laion2b") if one.here]
print(json.dumps([(one.model, one.pretrained, one.licence, one.bytes) for one in found]))
"""


def test_the_list_marks_what_is_here_with_its_licence(tmp_path: Path) -> None:
    carry(tmp_path)
    environment = os.environ | {"HF_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", LIST], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["ViT-B-32", TAG, "mit", 7]]


@pytest.mark.parametrize(
    ("name", "text", "licence"),
    [
        ("config.json", '{"pretrained_cfg": {"license": "apache-2.0"}}', "apache-2.0"),
        ("open_clip_config.json", '{"license": "mit", "model_cfg": {}}', "mit"),
        ("README.md", "---\r\nlicense: 'cc-by-4.0'\r\n---\r\n", "cc-by-4.0"),
        ("README.md", "The license: of what?\n", None),
        ("config.json", '["license"]', None),
        ("config.json", "{", None),
    ],
)
def test_a_licence_is_what_the_repository_says(tmp_path: Path, name: str, text: str, licence: str | None) -> None:
    (tmp_path / name).write_text(text, newline="")
    assert licence_beside(tmp_path / "weights.safetensors") == licence
