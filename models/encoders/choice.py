"""What a person writes to name an encoder, as the pair of settings that stands for it: the model and its weights."""

from __future__ import annotations

from pathlib import Path

from attune.models.encoders import open_clip_table as table
from attune.models.encoders.hub_folder import weights_in
from attune.models.encoders.weights import CHECKPOINT_SUFFIXES, cached, describe
from attune.models.errors import DataError, UnknownEncoder, WeightsUnavailable
from attune.models.files.paths import at_home


def choose(name: str, pretrained: str | None = None) -> tuple[str, str]:
    """The settings ``encoder`` and ``pretrained`` for what was written; paths absolute, as workers start elsewhere.

    ``name`` is a model of open_clip, a JSON config, a checkpoint file with its config beside it, or a folder of a hub's
    cache; ``pretrained`` a tag, a checkpoint file or such a folder. Raises UnknownEncoder, WeightsUnavailable, and
    DataError where the weights are not named and cannot be guessed.
    """
    path = Path(at_home(name)).absolute()
    if path.is_dir():
        return _of_folder(path, pretrained)
    if path.suffix in CHECKPOINT_SUFFIXES and path.is_file():
        if not path.with_suffix(".json").is_file():
            raise DataError(
                f"{name} is a checkpoint file, which does not name its model. Name the model (`attune encoder "
                f"use MODEL --pretrained {name}`), or put its config next to it as {path.stem}.json."
            )
        return str(path.with_suffix(".json")), str(path)
    if name.endswith(".json"):
        return str(path), _weights(pretrained) if pretrained else _beside(path)
    if pretrained is None:
        return name, _only_tag(name)
    return name, _weights(pretrained)


def _of_folder(folder: Path, pretrained: str | None) -> tuple[str, str]:
    matches = [one for one in weights_in(folder) if pretrained in {None, one.tag}]
    configs = [path for path in sorted(folder.glob("*.json")) if pretrained is None and _files_beside(path)]
    if not matches and len(configs) == 1:  # a config of ours with its checkpoint, as the sample's encoder
        return str(configs[0]), _beside(configs[0])
    if not matches:
        raise WeightsUnavailable(
            f"{folder} has no weights{f' {pretrained!r}' if pretrained else ''} that open_clip knows. Name a "
            "hub's cache (HF_HOME), one repository in it (models--OWNER--NAME), or a download with its "
            "open_clip_config.json."
        )
    if len(matches) > 1:
        raise UnknownEncoder(f"{folder} has the weights of {len(matches)} encoders. {describe(matches)}")
    (one,) = matches
    return (one.model, str(folder)) if one.config is None else (str(folder / "open_clip_config.json"), str(one.path))


def _weights(pretrained: str) -> str:
    """A tag as it is; a path made absolute."""
    path = Path(at_home(pretrained))
    return str(path.absolute()) if path.exists() else pretrained


def _files_beside(config: Path) -> list[Path]:
    return [path for suffix in sorted(CHECKPOINT_SUFFIXES) if (path := config.with_suffix(suffix)).is_file()]


def _beside(config: Path) -> str:
    beside = _files_beside(config)
    if len(beside) != 1:
        raise DataError(
            f"Pretrained: {len(beside)} checkpoint files next to {config} have its name (expected: 1). Name "
            f"one, such as --pretrained {config.stem}.safetensors."
        )
    return str(beside[0])


def _only_tag(name: str) -> str:
    """The one tag of the model that is on this machine, or the only one there is."""
    plain = name.replace("/", "-")
    if plain not in (names := table.model_names()):
        raise UnknownEncoder(
            f"open_clip has no model {name!r}.{table.near(plain, names)} To list all models: `attune encoder list`"
        )
    tags = table.tags_of(plain)
    here = [tag for tag in tags if cached(table.tag_of(plain, tag))]
    if len(here) == 1 or len(tags) == 1:
        return (here or tags)[0]
    marked = ", ".join(f"{tag} (here)" if tag in here else tag for tag in tags)
    raise DataError(
        f"Pretrained: {name} needs the name of its weights. Give --pretrained with a tag, a checkpoint file, or "
        f"a folder of a hub's cache. Tags in open_clip: {marked or 'none'}."
    )
