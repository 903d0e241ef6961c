"""Weights in a folder that was copied from a machine with a network: a hub's cache, or one repository of it.

Four shapes are read: the cache as ``HF_HOME`` (with ``hub`` in it), the ``hub`` folder itself, one repository's folder
``models--OWNER--NAME`` or a snapshot in it, and a plain download of a repository with its ``open_clip_config.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attune.models.encoders import open_clip_table as table

CONFIG = "open_clip_config.json"


@dataclass(frozen=True)
class InFolder:
    """Weights found in a folder: of which architecture, the file, what they ask of images, and their tag if known.

    ``config`` is the architecture's JSON where open_clip has no name for it; ``quick_gelu`` as in ``Checkpoint``.
    """

    model: str
    tag: str
    path: Path
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    quick_gelu: bool = False
    config: Mapping[str, Any] | None = None


def weights_in(folder: Path, model: str | None = None) -> list[InFolder]:
    """What of open_clip's weights ``folder`` holds, of one architecture or of any; each file once."""
    rows = table.every_tag() if model is None else [(model, tag) for tag in table.tags_of(model)]
    repositories = _repositories(folder)
    checkpoints: dict[Path, InFolder] = {}
    for name, tag in rows:
        facts = table.tag_of(name, tag)
        repository, file = table.on_hub(facts)
        if repository in repositories and (path := _newest(repositories[repository], table.hub_files(file))):
            preprocessing = table.preprocessing_of(facts)
            checkpoints.setdefault(path, InFolder(name, tag, path, preprocessing, bool(facts.get("quick_gelu"))))
    if not checkpoints and (plain := _plain(folder)) and model in {None, plain.model}:
        return [plain]
    return list(checkpoints.values())


def _repositories(folder: Path) -> dict[str, Path]:
    """The hub's repositories in ``folder`` by their name ``OWNER/NAME``."""
    places = [*folder.glob("models--*"), *folder.glob("hub/models--*")]
    places += [place for place in (folder, *folder.parents[:2]) if place.name.startswith("models--")]
    return {place.name.removeprefix("models--").replace("--", "/", 1): place for place in places if place.is_dir()}


def _newest(repository: Path, names: Iterable[str]) -> Path | None:
    """The file of the branch that the hub calls main, else of the newest snapshot."""
    main = repository / "refs" / "main"
    snapshots = sorted((repository / "snapshots").glob("*"), key=lambda place: place.stat().st_mtime, reverse=True)
    if main.is_file():
        snapshots.insert(0, repository / "snapshots" / main.read_text(encoding="utf-8").strip())
    paths = (place / name for place in snapshots for name in names)
    return next((path for path in paths if path.is_file()), None)


def _plain(folder: Path) -> InFolder | None:
    """A repository that was downloaded into a folder of its own, without the cache around it."""
    path = next((folder / name for name in table.hub_files("") if (folder / name).is_file()), None)
    try:
        raw_config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        config, facts = dict(raw_config["model_cfg"]), dict(raw_config.get("preprocess_cfg") or {})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if path is None:
        return None
    facts = {key: facts[key] for key in ("mean", "std", "interpolation") if facts.get(key)}
    name = table.name_of(config)
    return InFolder(name or folder.name, "", path, facts, config=None if name else config)
