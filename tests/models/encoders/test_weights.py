"""Weights are found here, or their absence is told at once with the ways out; a name nobody knows gets near ones."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from attune.models.encoders.open_clip_table import model_names, tag_of
from attune.models.encoders.weights import locate, unreachable
from attune.models.errors import UnknownEncoder, WeightsUnavailable


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_an_address_that_hangs_or_refuses_is_given_up_soon(silent: str, refusing: str) -> None:
    assert unreachable([silent, silent], seconds=0.4) in {"no answer", "no answer within 0.4 s"}
    assert unreachable([refusing], seconds=2) == "no answer"


@pytest.fixture
def gateway() -> Iterator[str]:
    """An address that answers 404 to whatever is asked, as gateways of closed networks do."""

    class NotFound(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), NotFound) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_gateway_that_answers_for_everybody_is_no_hub(tmp_path: Path, gateway: str) -> None:
    assert "does not provide them: it answers 404" in _ask(tmp_path, HF_ENDPOINT=gateway)


@pytest.mark.parametrize(
    ("model", "near"),
    [("vit-b-32", "ViT-B-32"), ("ViT-B32", "ViT-B-32"), ("convnext-base", "convnext_base")],
)
def test_an_unknown_model_gets_near_names(model: str, near: str) -> None:
    with pytest.raises(UnknownEncoder, match=f"no model '{model}'. Did you mean .*{near}"):
        locate(model, "laion2b_s34b_b79k")


def test_an_unknown_tag_gets_near_names_and_all_there_are() -> None:
    with pytest.raises(
        UnknownEncoder, match=r"no weights 'laion2b' for ViT-B-32\. Did you mean laion2b.*Its tags are openai,"
    ):
        locate("ViT-B-32", "laion2b")


def test_a_checkpoint_file_that_is_not_there_is_named_with_the_ways_out(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable) as error:
        locate("ViT-B-32", str(tmp_path / "mine.safetensors"))
    for words in ("mine.safetensors", "ATTUNE_PRETRAINED", "HF_HOME", "--vectors FILE", "attune demo"):
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not an open_clip config"),
        ("[]", "is not an open_clip config"),
        ('{"embed_dim": 3}', "has no text_cfg, vision_cfg"),
    ],
)
def test_a_config_that_is_none_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(UnknownEncoder, match=words):
        locate(str(path), "x.pt")


def test_the_names_are_known_without_torch() -> None:
    code = (
        "import sys; from attune.models.encoders.available import list_weights; "
        "from attune.models.encoders.open_clip_table import model_names; "
        "assert model_names() and list(list_weights()); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert "ViT-B-32" in model_names()


ASK = """
from attune.models.errors import WeightsUnavailable
from attune.models.encoders.weights import locate
try:
    print(locate("ViT-B-32", "laion2b_s34b_b79k").path)
except WeightsUnavailable as error:
    print(error)
"""


def _ask(tmp_path: Path, **environment: str) -> str:
    """What a fresh process with an empty cache is told."""
    variables = {"HF_HOME": str(tmp_path), "HOME": str(tmp_path), "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=variables | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_hub_that_hangs_is_given_up_before_its_own_client_tries_for_a_minute(tmp_path: Path, silent: str) -> None:
    text = _ask(tmp_path, HF_ENDPOINT=silent)
    assert "does not provide them: no answer" in text
    assert "attune assets add PATH --vectors FILE" in text


def test_offline_is_honoured_without_a_look_outside(tmp_path: Path, silent: str) -> None:
    assert "HF_HUB_OFFLINE forbids" in _ask(tmp_path, HF_ENDPOINT=silent, HF_HUB_OFFLINE="1")


def test_weights_in_the_hubs_cache_are_found_with_nobody_answering(tmp_path: Path, silent: str) -> None:
    repository = tmp_path / "hub" / "models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    (snapshot / "open_clip_model.safetensors").write_bytes(b"weights")
    assert _ask(tmp_path, HF_ENDPOINT=silent) == str(snapshot / "open_clip_model.safetensors")


def test_the_table_of_weights_is_open_clips_own() -> None:
    import open_clip

    for name, tag in open_clip.list_pretrained():
        assert tag_of(name, tag) == open_clip.get_pretrained_cfg(name, tag)


def test_a_checkpoint_is_named_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"one")
    first = locate("ViT-B-32", str(path)).digest
    path.write_bytes(b"two")
    os.utime(path, (0, 0))  # so that the file's time differs
    assert locate("ViT-B-32", str(path)).digest != first
