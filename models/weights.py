"""Where an encoder's weights are: a checkpoint file, the local cache of the model hub, or the hub itself if it answers.

The hub's own client tries again for most of a minute before it gives up. So it is asked only after a short look whether
the hub answers at all; without it the error says at once what else can be done.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from models.errors import EncoderNotInstalled, UnknownEncoder, WeightsUnavailable
from models.files import digest_file, digest_json
from models.paths import at_home
from models.reasons import reason

HUB_SECONDS = 3.0
CHECKPOINT_SUFFIXES = {".safetensors", ".pt", ".pth", ".bin", ".npz"}

WAYS_OUT = (
    "Ways out: point ATTUNE_PRETRAINED at a checkpoint file of this model (.safetensors or .pt); fill the hub's cache "
    "on a machine that reaches it and copy it here (HF_HOME says where it is); import ready-made vectors with "
    "`attune assets add PATH --vectors FILE`; or look around with `attune demo`, which carries an encoder of its own."
)


@dataclass(frozen=True)
class Checkpoint:
    """An encoder's architecture and the file of its weights.

    ``name`` is the open_clip model, ``config`` its JSON where it is none of open_clip's own, ``preprocessing`` what the
    weights ask of images (mean, std, interpolation), ``quick_gelu`` whether they were trained with that activation.
    """

    name: str
    path: Path
    config: Mapping[str, Any] | None = None
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    quick_gelu: bool = False

    @property
    def model(self) -> str:
        """The model's name for a fingerprint; a config of one's own is told apart by its digest."""
        gelu = "" if not self.quick_gelu or self.name.endswith("-quickgelu") else "+quickgelu"
        own = "" if self.config is None else "@" + digest_json(self.config)[:12]
        return self.name + gelu + own

    @property
    def digest(self) -> str:
        """The sha256 of the weights' file."""
        stat = self.path.stat()
        return _digest(self.path.resolve(), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, _size: int, _changed: int) -> str:
    return digest_file(path)


def model_names() -> list[str]:
    """The architectures that open_clip knows by name, learnt without importing torch."""
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise EncoderNotInstalled("The package open_clip is not installed. Install it: pip install open_clip_torch.")
    return sorted(path.stem for path in (Path(spec.origin).parent / "model_configs").glob("*.json"))


def locate(model: str, pretrained: str) -> Checkpoint:
    """The checkpoint of an open_clip ``model`` (name, or path of its JSON config) and ``pretrained`` (tag or path).

    Raises UnknownEncoder with near names, and WeightsUnavailable within 10 s with the ways out.
    """
    if model.endswith(".json"):
        name, config, preprocessing = _own_config(Path(at_home(model)))
    else:
        name, config, preprocessing = model.replace("/", "-"), None, {}
        if name not in (known := model_names()):
            raise UnknownEncoder(
                f"open_clip has no model {model!r}.{_near(name, known)} Set ATTUNE_ENCODER to one of its names, or to "
                "the path of a JSON config."
            )
    path = Path(at_home(pretrained))
    if path.is_file():
        return Checkpoint(name, path, config, preprocessing)
    if path.suffix in CHECKPOINT_SUFFIXES or os.sep in pretrained or config is not None:
        raise WeightsUnavailable(
            f"There is no checkpoint file {pretrained!r} for the encoder {model!r} (ATTUNE_PRETRAINED). {WAYS_OUT}"
        )
    tag = _tag(name, pretrained)
    found = _cached(tag) or _fetched(name, pretrained, tag)
    wanted = {key: tag[key] for key in ("mean", "std", "interpolation") if tag.get(key)}
    return Checkpoint(name, found, None, wanted, bool(tag.get("quick_gelu")))


def _own_config(path: Path) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    """A JSON config: open_clip's bare form, or the hub's with ``model_cfg`` and ``preprocess_cfg``."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        config = held.get("model_cfg", held)
        missing = sorted({"embed_dim", "vision_cfg", "text_cfg"} - set(config))
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        why = reason(error) if isinstance(error, OSError | ValueError | RecursionError) else "it is another JSON"
        raise UnknownEncoder(
            f"ATTUNE_ENCODER names {path}, which is no open_clip config: {why}. It must be a JSON object with "
            "embed_dim, vision_cfg and text_cfg."
        ) from error
    if missing:
        raise UnknownEncoder(f"The open_clip config {path} has no {', '.join(missing)}. It needs all three.")
    return path.stem, config, held.get("preprocess_cfg", {})


@lru_cache(maxsize=1)
def _table() -> Any:
    """open_clip's table of weights without the rest of open_clip: its import would take half of the ten seconds."""
    spec = importlib.util.find_spec("open_clip")
    if spec is None:
        raise EncoderNotInstalled("The package open_clip is not installed. Install it: pip install open_clip_torch.")
    room = ModuleType("_open_clip_alone")
    room.__path__ = list(spec.submodule_search_locations or ())
    sys.modules[room.__name__] = room
    return importlib.import_module(f"{room.__name__}.pretrained")


def _tag(name: str, pretrained: str) -> Mapping[str, Any]:
    tag: Mapping[str, Any] = _table().get_pretrained_cfg(name, pretrained)
    if not tag:
        tags = _table().list_pretrained_tags_by_model(name)
        raise UnknownEncoder(
            f"open_clip has no weights {pretrained!r} for {name}.{_near(pretrained, tags)} It has "
            f"{', '.join(tags) or 'none'}. Set ATTUNE_PRETRAINED to one of them or to the path of a checkpoint file."
        )
    return tag


def _near(name: str, known: Iterable[str]) -> str:
    lowered = {item.lower(): item for item in known}
    near = [lowered[item] for item in get_close_matches(name.lower(), lowered, n=3)]
    return f" Did you mean {', '.join(near)}?" if near else ""


def _cached(tag: Mapping[str, Any]) -> Path | None:
    """The weights in the hub's local cache, or where open_clip keeps what came from a plain address."""
    from huggingface_hub import try_to_load_from_cache

    repository, file = _on_hub(tag)
    for name in _hub_files(file) if repository else ():
        found = try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    return None


def _on_hub(tag: Mapping[str, Any]) -> tuple[str, str]:
    repository, _, file = str(tag.get("hf_hub") or "").rpartition("/")
    return repository, file


def _hub_files(file: str) -> tuple[str, ...]:
    if not file:
        return (_table().HF_SAFE_WEIGHTS_NAME, _table().HF_WEIGHTS_NAME)
    return (str(Path(file).with_suffix(".safetensors")), file)


def _fetched(name: str, pretrained: str, tag: Mapping[str, Any]) -> Path:
    what = f"The weights {pretrained!r} of {name} are not on this machine"
    if _offline():
        raise WeightsUnavailable(f"{what}, and HF_HUB_OFFLINE forbids to fetch them. {WAYS_OUT}")
    addresses = _addresses(tag)
    if why := unreachable(addresses, _hub_headers()):
        raise WeightsUnavailable(f"{what}, and {urlsplit(addresses[0]).hostname} does not give them: {why}. {WAYS_OUT}")
    try:
        return Path(_table().download_pretrained(dict(tag)))
    except Exception as error:  # the hub's client, requests and open_clip each raise their own kinds
        raise WeightsUnavailable(f"{what}, and fetching them failed. {WAYS_OUT}") from error


def _offline() -> bool:
    """Whether the hub's own variables forbid to look outside; its client read them once, at its import."""
    from huggingface_hub import constants

    said = (os.environ.get(name, "").upper() for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return bool(constants.HF_HUB_OFFLINE) or any(value in {"1", "ON", "YES", "TRUE"} for value in said)


def _addresses(tag: Mapping[str, Any]) -> list[str]:
    """Where the weights may be: the hub's files by either name, or a plain address."""
    from huggingface_hub import hf_hub_url

    repository, file = _on_hub(tag)
    return [hf_hub_url(repository, name) for name in _hub_files(file)] if repository else [str(tag.get("url"))]


def _hub_headers() -> dict[str, str]:
    utils: Any = importlib.import_module("huggingface_hub.utils")
    return dict(utils.build_hf_headers())


def unreachable(
    addresses: Sequence[str], headers: Mapping[str, str] | None = None, seconds: float = HUB_SECONDS
) -> str:
    """Why none of ``addresses`` gives its file, found out within ``seconds``; empty where one does.

    The files themselves are asked for: a hotel's or an office's gateway answers for any host, but not with those. The
    name lookup has no time limit of its own, hence the thread.
    """
    import requests

    verdicts: list[str] = []

    def look() -> None:
        for address in addresses:
            try:
                reply = requests.head(address, headers=headers, timeout=seconds / 2, allow_redirects=False)
                verdicts.append("" if reply.status_code < 400 else f"it answers {reply.status_code}")
            except requests.RequestException:
                verdicts.append("no answer")
                return  # the next file is on the same host
            if not verdicts[-1]:
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive() or not verdicts:
        return f"no answer within {seconds:g} s"
    return verdicts[-1]
