"""Where an encoder's weights are: a checkpoint file, the local cache of the model hub, or the hub itself if it answers.

The hub's own client tries again for most of a minute before it gives up. So it is asked only after a short look whether
the hub answers at all; without it the error says at once what else can be done.
"""

from __future__ import annotations

import importlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attune.models.encoders import open_clip_table as table
from attune.models.encoders.hub_folder import InFolder, weights_in
from attune.models.errors import UnknownEncoder, WeightsUnavailable
from attune.models.files.atomic import digest_file, digest_json
from attune.models.files.paths import at_home
from attune.models.reasons import reason

HUB_SECONDS = 3.0
CHECKPOINT_SUFFIXES = {".safetensors", ".pt", ".pth", ".bin", ".npz"}

WAYS_OUT = (
    "What you can do: (1) Use a checkpoint file (.safetensors or .pt), or a hub's cache (HF_HOME) copied from "
    "a computer with a network: `attune encoder use MODEL --pretrained PATH`, or set ATTUNE_PRETRAINED. (2) "
    "Supply vectors: `attune assets add PATH --vectors FILE`. (3) Try `attune demo`, which has its own "
    "encoder. To see which encoders are on this computer: `attune encoder list --here`"
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


def locate(model: str, pretrained: str) -> Checkpoint:
    """The checkpoint of an open_clip ``model`` (name, or path of its JSON config) and ``pretrained``.

    ``pretrained`` is a tag, the path of a checkpoint file, or a folder of a hub's cache that was copied here. Raises
    UnknownEncoder with near names, and WeightsUnavailable within 10 s with the ways out.
    """
    if model.endswith(".json"):
        name, config, preprocessing = _own_config(Path(at_home(model)))
    else:
        name, config, preprocessing = model.replace("/", "-"), None, {}
        if name not in (names := table.model_names()):
            raise UnknownEncoder(
                f"open_clip has no model {model!r}.{table.near(name, names)} Set ATTUNE_ENCODER to a model's "
                "name or to a JSON config. To list all models: `attune encoder list`"
            )
    path = Path(at_home(pretrained))
    if path.is_file():
        return Checkpoint(name, path, config, preprocessing)
    if path.is_dir() and config is None:
        return _of_folder(name, path)
    if path.suffix in CHECKPOINT_SUFFIXES or os.sep in pretrained or config is not None:
        raise WeightsUnavailable(
            f"The checkpoint file {pretrained!r} of the encoder {model!r} does not exist (ATTUNE_PRETRAINED). "
            f"{WAYS_OUT}"
        )
    tag = table.tag_of(name, pretrained)
    return _tagged(name, cached(tag) or _fetched(name, pretrained, tag), tag)


def locate_cached(model: str, pretrained: str) -> Checkpoint | None:
    """As ``locate``, without a look outside: None for a tag whose weights are not on this machine."""
    name = model.replace("/", "-")
    if model.endswith(".json") or os.sep in pretrained or Path(at_home(pretrained)).exists():
        return locate(model, pretrained)
    tag = table.tag_of(name, pretrained)
    path = cached(tag)
    return None if path is None else _tagged(name, path, tag)


def _tagged(name: str, path: Path, tag: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(name, path, None, table.preprocessing_of(tag), bool(tag.get("quick_gelu")))


def _of_folder(name: str, folder: Path) -> Checkpoint:
    """The one set of weights of the model in a folder of a hub's cache."""
    candidates = weights_in(folder, name)
    if not candidates:
        others = ", ".join(sorted({one.model for one in weights_in(folder)}))
        raise WeightsUnavailable(
            f"The folder {folder} has no weights of {name} that open_clip "
            f"knows{f', only those of {others}' if others else ''}. Name a hub's cache (HF_HOME), one "
            "repository in it (models--OWNER--NAME), or a download with its open_clip_config.json."
        )
    if len(candidates) > 1:
        raise UnknownEncoder(
            f"The folder {folder} has {len(candidates)} sets of weights of {name}. {describe(candidates)}"
        )
    return _checkpoint(candidates[0])


def _checkpoint(candidate: InFolder) -> Checkpoint:
    return Checkpoint(candidate.model, candidate.path, candidate.config, candidate.preprocessing, candidate.quick_gelu)


def describe(candidates: Sequence[InFolder]) -> str:
    """How to name one of several weights that a folder holds."""
    lines = (f"attune encoder use {one.model} --pretrained {_repository(one.path)}" for one in candidates)
    return "Use one of these:\n  " + "\n  ".join(lines)


def _repository(path: Path) -> Path:
    """The repository's folder of a file in a hub's cache; else the file's own."""
    return next((place for place in path.parents if place.name.startswith("models--")), path.parent)


def _own_config(path: Path) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    """A JSON config: open_clip's bare form, or the hub's with ``model_cfg`` and ``preprocess_cfg``."""
    try:
        raw_config = json.loads(path.read_text(encoding="utf-8"))
        config = raw_config.get("model_cfg", raw_config)
        missing = sorted({"embed_dim", "vision_cfg", "text_cfg"} - set(config))
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        why = (
            reason(error) if isinstance(error, OSError | ValueError | RecursionError) else "it is JSON of another kind"
        )
        raise UnknownEncoder(
            f"ATTUNE_ENCODER is {path}, which is not an open_clip config: {why}. Expected a JSON object with "
            "embed_dim, vision_cfg and text_cfg."
        ) from error
    if missing:
        raise UnknownEncoder(
            f"The open_clip config {path} has no {', '.join(missing)}. It must have embed_dim, vision_cfg and text_cfg."
        )
    return path.stem, config, raw_config.get("preprocess_cfg", {})


def cached(tag: Mapping[str, Any]) -> Path | None:
    """The weights in the hub's local cache, or where open_clip keeps what came from a plain address."""
    from huggingface_hub import try_to_load_from_cache

    repository, file = table.on_hub(tag)
    for name in table.hub_files(file) if repository else ():
        cached_path = try_to_load_from_cache(repository, name)
        if isinstance(cached_path, str):
            return Path(cached_path)
    return None


def _fetched(name: str, pretrained: str, tag: Mapping[str, Any]) -> Path:
    what = f"The weights {pretrained!r} of {name} are not on this computer"
    if _offline():
        raise WeightsUnavailable(f"{what}, and HF_HUB_OFFLINE forbids the download. {WAYS_OUT}")
    addresses = _addresses(tag)
    if why := unreachable(addresses, _hub_headers()):
        raise WeightsUnavailable(
            f"{what}, and {urlsplit(addresses[0]).hostname} does not provide them: {why}. {WAYS_OUT}"
        )
    try:
        return Path(table.table().download_pretrained(dict(tag)))
    except Exception as error:  # the hub's client, requests and open_clip each raise their own kinds
        raise WeightsUnavailable(f"{what}, and the download failed. {WAYS_OUT}") from error


def _offline() -> bool:
    """Whether the hub's own variables forbid to look outside; its client read them once, at its import."""
    from huggingface_hub import constants

    said = (os.environ.get(name, "").upper() for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return bool(constants.HF_HUB_OFFLINE) or any(value in {"1", "ON", "YES", "TRUE"} for value in said)


def _addresses(tag: Mapping[str, Any]) -> list[str]:
    """Where the weights may be: the hub's files by either name, or a plain address."""
    from huggingface_hub import hf_hub_url

    repository, file = table.on_hub(tag)
    return [hf_hub_url(repository, name) for name in table.hub_files(file)] if repository else [str(tag.get("url"))]


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
