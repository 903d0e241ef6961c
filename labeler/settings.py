"""Every setting of Attune, built once at each entry point: argument over environment over workspace over default.

The workspace's own `settings.json` keeps what belongs to its data (the encoder) or to the parts that run on it (ports),
so that a command given nothing but the workspace finds both. Nothing reads the environment at import, and nothing below
the entry points reads it at all: they are handed a ``Settings``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from models.errors import SettingsError
from models.files import write_json

KEPT = "settings.json"
MASK = "********"


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _flag(text: str) -> bool:
    value = text.strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("yes or no (also 1/0, true/false, on/off)")


def _port(text: str) -> int:
    port = _whole(text)
    if not 1 <= port <= 65535:
        raise ValueError("a port from 1 to 65535")
    return port


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def _positive(text: str) -> int:
    value = _whole(text)
    if value < 1:
        raise ValueError("a whole number of 1 or more")
    return value


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise ValueError("a share from 0 up to, and without, 1")
    return value


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme.split("+")[0] not in schemes or not (parts.netloc or parts.path):
            raise ValueError(f"an address such as {schemes[0]}://…")
        return text.rstrip("/")

    return read


def _setting(read: Callable[[str], Any], default: Any, about: str, secret: bool = False) -> Any:
    return field(default=default, metadata={"read": read, "about": about, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """All settings; each is ``ATTUNE_`` + its name in capitals in the environment."""

    workspace: Path = _setting(_path, Path("workspace"), "Folder that holds everything a run writes.")
    host: str = _setting(str, "127.0.0.1", "Address that the web app and Label Studio listen on.")
    web_port: int = _setting(_port, 8700, "Port of the web app.")
    label_studio_port: int = _setting(_port, 8701, "Port of Label Studio when `attune up` starts it.")
    redis_port: int = _setting(_port, 8702, "Port of Redis when `attune up` starts it.")
    redis_url: str | None = _setting(
        _url("redis", "rediss", "unix"), None, "A running Redis to use in place of our own.", secret=True
    )
    database_url: str | None = _setting(
        _url("sqlite", "postgresql"), None, "Where the records are; SQLite in the workspace unless set.", secret=True
    )
    label_studio_url: str | None = _setting(
        _url("http", "https"), None, "A running Label Studio to use in place of our own, as the workers reach it."
    )
    label_studio_public_url: str | None = _setting(
        _url("http", "https"), None, "Label Studio as the experts' browsers reach it, where that differs."
    )
    label_studio_token: str | None = _setting(str, None, "Access token of an administrator of that Label Studio.", True)
    label_studio_env: Path | None = _setting(
        _path, None, "Environment that holds the label-studio command; made under the cache folder unless set."
    )
    label_studio_email: str = _setting(str, "attune@localhost.localdomain", "Login of Label Studio's administrator.")
    public_url: str | None = _setting(
        _url("http", "https"), None, "The web app as browsers reach it; images and links are signed for it."
    )
    webhook_url: str | None = _setting(
        _url("http", "https"), None, "The web app as Label Studio reaches it, where that differs from the public one."
    )
    url: str | None = _setting(_url("http", "https"), None, "Address of the Attune that `attune pull` asks.")
    token: str | None = _setting(str, None, "Bearer token that `attune pull` shows.", secret=True)
    catalog_url: str | None = _setting(
        str, None, "fsspec address of the feature catalog; a folder of the workspace unless set."
    )
    cache: Path | None = _setting(_path, None, "Folder for pulled probes; the workspace's cache folder unless set.")
    offline: bool = _setting(_flag, False, "Never look outside: pull from the cache alone.")
    encoder: str = _setting(str, "ViT-B-32", "open_clip model name, or the path of its JSON config.")
    pretrained: str = _setting(str, "laion2b_s34b_b79k", "open_clip pretrained tag, or the path of a checkpoint file.")
    resize_mode: str = _setting(
        str, "longest", "How images that are not square meet the encoder: squash, longest or shortest."
    )
    device: str = _setting(str, "auto", "torch device of the encoder: auto, cpu, cuda, mps.")
    embed_batch: int = _setting(_positive, 64, "Images that one embedding step takes.")
    max_pixels: int = _setting(_positive, 100_000_000, "Images of more pixels than this are refused.")
    queue_size: int = _setting(_positive, 40, "Open tasks that each expert's queue holds.")
    audit_share: float = _setting(_share, 0.2, "Share of titles kept aside for the audit.")
    strategy: str = _setting(str, "attune", "Query strategy by name: attune, margin, …, modal:NAME, skactiveml:NAME.")
    workers: int = _setting(_positive, 2, "rq workers that `attune up` starts.")
    sync_seconds: int = _setting(_positive, 30, "Seconds between two reconciliations with Label Studio.")
    seed: int = _setting(_whole, 0, "Seed that every choice of chance derives from.")
    log_level: str = _setting(str, "INFO", "DEBUG, INFO, WARNING or ERROR.")

    # -- where things are ------------------------------------------------------------------------------------------
    @property
    def records_url(self) -> str:
        """SQLAlchemy address of the records."""
        return self.database_url or f"sqlite:///{self.workspace / 'records.sqlite'}"

    @property
    def redis_address(self) -> str:
        """Address of Redis: the one set, or our own in the workspace."""
        return self.redis_url or f"redis://127.0.0.1:{self.redis_port}/0"

    @property
    def label_studio_address(self) -> str:
        """Label Studio as this machine reaches it."""
        return self.label_studio_url or f"http://{self.browser_host}:{self.label_studio_port}"

    @property
    def label_studio_browser_address(self) -> str:
        """Label Studio as an expert's browser reaches it."""
        return self.label_studio_public_url or self.label_studio_address

    @property
    def web_address(self) -> str:
        """The web app as browsers reach it."""
        return self.public_url or f"http://{self.browser_host}:{self.web_port}"

    @property
    def webhook_address(self) -> str:
        """The web app as Label Studio reaches it."""
        return self.webhook_url or self.web_address

    @property
    def browser_host(self) -> str:
        """The host to put into links: a wildcard address is no address to visit."""
        return "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host

    @property
    def catalog_address(self) -> str:
        """fsspec address of the feature catalog."""
        return self.catalog_url or str(self.workspace / "catalog")

    @property
    def vectors(self) -> Path:
        """Folder of the vector store."""
        return self.workspace / "vectors"

    @property
    def logs(self) -> Path:
        """Folder of the parts' logs."""
        return self.workspace / "logs"

    @property
    def secrets(self) -> Path:
        """File of the generated secrets, mode 0600."""
        return self.workspace / "secrets.json"

    @property
    def pull_cache(self) -> Path:
        """Folder that keeps pulled probe files by digest."""
        return self.cache or self.workspace / "cache"

    def shown(self) -> dict[str, str]:
        """Every setting as text, secrets masked."""
        found = {}
        for item in fields(self):
            value = getattr(self, item.name)
            found[item.name] = "" if value is None else MASK if item.metadata["secret"] else str(value)
        return found

    def environment(self) -> dict[str, str]:
        """The ``ATTUNE_*`` variables that make another process build equal settings."""
        found = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if value is not None:
                found[variable(item.name)] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        return found


def variable(name: str) -> str:
    """The environment variable of the setting ``name``."""
    return "ATTUNE_" + name.upper()


def build(environment: Mapping[str, str] | None = None, **arguments: Any) -> Settings:
    """Settings from arguments (None counts as not given), ``ATTUNE_*`` variables, the workspace's file, then defaults.

    An empty variable counts as not set. Raises SettingsError that names the variable, what it holds (never a secret)
    and what it may hold; also for an ``ATTUNE_`` variable that is no setting, with the nearest name.
    """
    environment = os.environ if environment is None else environment
    known = {item.name: item for item in fields(Settings)}
    _refuse_unknown(environment, known)
    given: dict[str, Any] = {name: environment[variable(name)] for name in known if environment.get(variable(name))}
    given |= {name: value for name, value in arguments.items() if value is not None}
    workspace = _path(str(given.get("workspace", Settings.workspace)))
    given = kept(workspace) | given | {"workspace": workspace}
    values = {
        name: _read(name, known[name].metadata, value) if isinstance(value, str) else value
        for name, value in given.items()
        if name in known
    }
    if unknown := set(arguments) - set(known):
        raise SettingsError(f"No setting is called {sorted(unknown)[0]!r}. `attune config show` lists all of them.")
    return Settings(**values)


def kept(workspace: Path) -> dict[str, Any]:
    """The settings that a workspace keeps for itself; none where it keeps no file.

    Raises SettingsError where the file is no JSON object.
    """
    path = workspace / KEPT
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"{path} is no JSON object ({error}). Mend it, or delete it to go back to defaults."
        ) from error


def keep(workspace: Path, **values: Any) -> None:
    """Add to the settings that a workspace keeps for itself; a None takes one out."""
    merged = {name: value for name, value in (kept(workspace) | values).items() if value is not None}
    write_json(workspace / KEPT, {n: str(v) if isinstance(v, Path) else v for n, v in merged.items()}, mode=0o600)


def _read(name: str, metadata: Mapping[str, Any], given: str) -> Any:
    try:
        return metadata["read"](given)
    except ValueError as error:
        held = MASK if metadata["secret"] else repr(given)
        raise SettingsError(
            f"{variable(name)} is {held}; it takes {error}. {metadata['about']} "
            "`attune config show` lists all settings."
        ) from error


# Read by the Makefile or by tests, not settings of a run.
_FOREIGN = {"ATTUNE_SHARED", "ATTUNE_REQUIRE_BROWSER", "ATTUNE_CHROMIUM"}


def _refuse_unknown(environment: Mapping[str, str], known: Mapping[str, Any]) -> None:
    from difflib import get_close_matches

    names = {variable(name) for name in known} | _FOREIGN
    for key in environment:
        if key.startswith("ATTUNE_") and key not in names:
            near = get_close_matches(key, sorted(names), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{key} is no setting of Attune.{hint} `attune config show` lists all of them.")
