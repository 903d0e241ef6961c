"""What open_clip knows by name: its architectures, its weights and where they are published; read without torch."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from attune.models.errors import EncoderNotInstalled, UnknownEncoder

NOT_INSTALLED = "The package open_clip is not installed. Install it: `pip install open_clip_torch`"


def model_names() -> list[str]:
    """The architectures that open_clip knows by name."""
    return sorted(path.stem for path in _configs().glob("*.json"))


def config_of(name: str) -> Mapping[str, Any]:
    """An architecture's ``embed_dim``, ``vision_cfg``, ``text_cfg`` and more. Raises KeyError for an unknown one."""
    try:
        config: Mapping[str, Any] = json.loads((_configs() / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise KeyError(name) from error
    return config


def name_of(config: Mapping[str, Any]) -> str | None:
    """The name of the architecture that has exactly this config, or None."""
    return next((name for name in model_names() if config_of(name) == config), None)


def every_tag() -> list[tuple[str, str]]:
    """Each architecture and tag for which open_clip knows weights, in open_clip's order."""
    found: list[tuple[str, str]] = table().list_pretrained()
    return found


def tags_of(name: str) -> list[str]:
    """The tags of one architecture's weights."""
    found: list[str] = table().list_pretrained_tags_by_model(name)
    return found


def tag_of(name: str, pretrained: str) -> Mapping[str, Any]:
    """open_clip's row for these weights: ``hf_hub``, ``url``, ``mean``, … Raises UnknownEncoder with near names."""
    tag: Mapping[str, Any] = table().get_pretrained_cfg(name, pretrained)
    if not tag:
        tags = tags_of(name)
        raise UnknownEncoder(
            f"open_clip has no weights {pretrained!r} for {name}.{near(pretrained, tags)} Its tags are "
            f"{', '.join(tags) or 'none'}. Set ATTUNE_PRETRAINED to one of them, or to a checkpoint file."
        )
    return tag


def preprocessing_of(tag: Mapping[str, Any]) -> dict[str, Any]:
    """What the weights of a row ask of images, where it is not open_clip's usual."""
    return {key: tag[key] for key in ("mean", "std", "interpolation") if tag.get(key)}


def on_hub(tag: Mapping[str, Any]) -> tuple[str, str]:
    """The hub's repository of a row and the file in it; both may be empty."""
    repository, _, file = str(tag.get("hf_hub") or "").rpartition("/")
    return repository, file


def hub_files(file: str) -> tuple[str, ...]:
    """The names that the weights may have in their repository, the preferred one first."""
    if not file:
        return (table().HF_SAFE_WEIGHTS_NAME, table().HF_WEIGHTS_NAME)
    return (str(Path(file).with_suffix(".safetensors")), file)


def near(name: str, names: Iterable[str]) -> str:
    """`` Did you mean …?``, or nothing where no known name is alike."""
    lowered = {item.lower(): item for item in names}
    found = [lowered[item] for item in get_close_matches(name.lower(), lowered, n=3)]
    return f" Did you mean {', '.join(found)}?" if found else ""


@lru_cache(maxsize=1)
def table() -> Any:
    """open_clip's table of weights without the rest of open_clip: its import would take half of the ten seconds."""
    room = ModuleType("_open_clip_alone")
    room.__path__ = [str(_package())]
    sys.modules[room.__name__] = room
    torch_absent = "torch" not in sys.modules
    if torch_absent:
        # The table would load torch for safetensors' other half, which serves downloads; ours go another way.
        sys.modules["safetensors.torch"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module(f"{room.__name__}.pretrained")
    finally:
        if torch_absent:
            del sys.modules["safetensors.torch"]


def _configs() -> Path:
    return _package() / "model_configs"


def _package() -> Path:
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise EncoderNotInstalled(NOT_INSTALLED)
    return Path(spec.origin).parent
