"""Settings from arguments, ``ATTUNE_*`` variables and what the workspace keeps for itself in `settings.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attune.labeler.settings import values
from attune.labeler.settings.table import MASK, Settings, variable
from attune.models.errors import SettingsError
from attune.models.files.atomic import write_json
from attune.models.reasons import reason

KEPT = "settings.json"


def build(environment: Mapping[str, str] | None = None, **arguments: Any) -> Settings:
    """Settings from arguments (None counts as not given), ``ATTUNE_*`` variables, the workspace's file, then defaults.

    An empty variable counts as not set. Raises SettingsError that names the variable, what it holds (never a secret)
    and what it may hold; also for an ``ATTUNE_`` variable that is no setting, with the nearest name.
    """
    environment = os.environ if environment is None else environment
    known_fields = {item.name: item for item in fields(Settings)}
    _refuse_unknown(environment, known_fields)
    raw_values: dict[str, Any] = {
        name: environment[variable(name)] for name in known_fields if environment.get(variable(name))
    }
    raw_values |= {name: value for name, value in arguments.items() if value is not None}
    workspace = values.path(str(raw_values.get("workspace", Settings.workspace)))
    raw_values = kept_settings(workspace) | raw_values | {"workspace": workspace}
    parsed = {
        name: _read(name, known_fields[name].metadata, value) if isinstance(value, str) else value
        for name, value in raw_values.items()
        if name in known_fields
    }
    if unknown := set(arguments) - set(known_fields):
        raise SettingsError(
            f"The setting {sorted(unknown)[0]!r} does not exist. To list all settings: `attune config show`"
        )
    return Settings(**parsed)


def kept_settings(workspace: Path) -> dict[str, Any]:
    """The settings that a workspace keeps for itself; none where it keeps no file.

    Raises SettingsError where the file is no JSON object.
    """
    path = workspace / KEPT
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError, OSError, RecursionError) as error:
        why = "" if isinstance(error, TypeError) else f" ({reason(error)})"
        raise SettingsError(
            f"{path} is not a valid JSON object{why}. Fix it, or delete it to use the defaults."
        ) from error


def keep_settings(workspace: Path, **values: Any) -> None:
    """Add to the settings that a workspace keeps for itself; a None takes one out."""
    merged = {name: value for name, value in (kept_settings(workspace) | values).items() if value is not None}
    write_json(workspace / KEPT, {n: str(v) if isinstance(v, Path) else v for n, v in merged.items()}, mode=0o600)


def _read(name: str, metadata: Mapping[str, Any], text: str) -> Any:
    try:
        return metadata["read"](text)
    except ValueError as error:
        shown = MASK if metadata["secret"] else repr(text)
        raise SettingsError(
            f"{variable(name)} ({metadata['about'].rstrip('.')}) is {shown}. Expected {error}. To list all settings: "
            "`attune config show`"
        ) from error


# Read by the Makefile or by tests, not settings of a run.
_FOREIGN = {
    "ATTUNE_SHARED",
    "ATTUNE_REQUIRE_BROWSER",
    "ATTUNE_REQUIRE_INDEX",
    "ATTUNE_REQUIRE_POSTGRESQL",
    "ATTUNE_CHROMIUM",
    "ATTUNE_SLOW_BROWSER",
}


def _refuse_unknown(environment: Mapping[str, str], known_fields: Mapping[str, Any]) -> None:
    names = {variable(name) for name in known_fields} | _FOREIGN
    for key in environment:
        if key.startswith("ATTUNE_") and key not in names:
            near = get_close_matches(key, sorted(names), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(f"The setting {key} does not exist.{hint} To list all settings: `attune config show`")
