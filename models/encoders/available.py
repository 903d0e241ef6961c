"""The encoders that open_clip knows, with those that are on this machine marked; found without torch and a network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attune.models.encoders import open_clip_table as table
from attune.models.encoders.weights import cached

UNKNOWN = "open_clip does not say"
CARDS = ("config.json", "open_clip_config.json", "README.md")  # beside the weights, where a repository says its licence
MOST_OF_A_CARD = 200_000  # characters


@dataclass(frozen=True)
class ListedWeights:
    """One set of weights: ``path`` and ``bytes`` where it is here, ``dimension`` and ``pixels`` as its config says.

    ``licence`` is what the repository's own files say, or None: open_clip's table says nothing of licences.
    """

    model: str
    pretrained: str
    dimension: int
    pixels: int | None
    repository: str
    path: Path | None
    bytes: int | None
    licence: str | None

    @property
    def here(self) -> bool:
        """Whether the weights are on this machine."""
        return self.path is not None


def list_weights(text: str = "") -> Iterator[ListedWeights]:
    """Each architecture and tag of open_clip whose names hold all words of ``text``; those on this machine first."""
    words = text.casefold().split()
    rows = [(name, tag) for name, tag in table.every_tag() if all(one in f"{name} {tag}".casefold() for one in words)]
    found = [_row(name, tag) for name, tag in rows]
    yield from sorted(found, key=lambda one: not one.here)


def _row(name: str, tag: str) -> ListedWeights:
    facts, config = table.tag_of(name, tag), table.config_of(name)
    path = cached(facts)
    pixels = (config.get("vision_cfg") or {}).get("image_size")
    return ListedWeights(
        name,
        tag,
        int(config["embed_dim"]),
        max(pixels) if isinstance(pixels, list) else pixels,
        table.on_hub(facts)[0],
        path,
        path.stat().st_size if path else None,
        licence_beside(path) if path else None,
    )


def licence_beside(weights: Path) -> str | None:
    """What the model card or the config in the folder of ``weights`` says of the licence; None where nothing does."""
    for name in CARDS:
        try:
            text = (weights.parent / name).read_text(encoding="utf-8")[:MOST_OF_A_CARD]
        except (OSError, UnicodeDecodeError):
            continue
        if licence := _in_json(text) if name.endswith(".json") else _in_card(text):
            return licence
    return None


def _in_json(text: str) -> str | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    places: list[Any] = [content, content.get("pretrained_cfg")] if isinstance(content, Mapping) else []
    texts = (place.get("license") for place in places if isinstance(place, Mapping))
    return next((value for value in texts if isinstance(value, str) and value), None)


def _in_card(text: str) -> str | None:
    """A card's first block, between two lines of ``---``, is YAML with ``license: NAME``."""
    block = re.match(r"---\r?\n(.*?)\r?\n---", text, re.DOTALL)
    said = re.search(r"^license:[ \t]*['\"]?([\w.+-]+)", block[1], re.MULTILINE) if block else None
    return said[1] if said else None
