"""The table of settings: each one's type, default, variable and what it is for, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from attune.labeler.settings import values

MASK = "********"


def _setting(read_value: Callable[[str], Any], default: Any, about: str, secret: bool = False) -> Any:
    return field(default=default, metadata={"read": read_value, "about": about, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """All settings; each is ``ATTUNE_`` + its name in capitals in the environment."""

    workspace: Path = _setting(values.path, Path("workspace"), "Folder with everything that Attune writes.")
    host: str = _setting(str, "127.0.0.1", "Network address on which the console and Label Studio listen.")
    web_port: int = _setting(values.port, 8700, "Port of the console.")
    label_studio_port: int = _setting(values.port, 8701, "Port of Label Studio when `attune up` starts it.")
    redis_port: int = _setting(values.port, 8702, "Port of Redis when `attune up` starts it.")
    redis_url: str | None = _setting(
        values.url("redis", "rediss", "unix"),
        None,
        "URL of a running Redis to use instead of Attune's own.",
        secret=True,
    )
    database_url: str | None = _setting(
        values.url("sqlite", "postgresql"),
        None,
        "URL of the records' database. Default: SQLite in the workspace.",
        secret=True,
    )
    label_studio_url: str | None = _setting(
        values.url("http", "https"),
        None,
        "URL of a running Label Studio to use instead of Attune's own, as the workers reach it.",
    )
    label_studio_public_url: str | None = _setting(
        values.url("http", "https"), None, "URL of Label Studio in the experts' browsers, if it differs."
    )
    label_studio_token: str | None = _setting(str, None, "Access token of an administrator of that Label Studio.", True)
    label_studio_env: Path | None = _setting(
        values.path, None, "Environment with the label-studio command. Default: made in the cache folder."
    )
    label_studio_database_url: str | None = _setting(
        values.url("postgresql"),
        None,
        "URL of a PostgreSQL database for Attune's own Label Studio. Default: SQLite in the workspace.",
        secret=True,
    )
    label_studio_email: str = _setting(
        str, "attune@localhost.localdomain", "Email address of Label Studio's administrator."
    )
    public_url: str | None = _setting(
        values.url("http", "https"), None, "URL of the console in browsers. Images and links are signed for it."
    )
    proxies: int = _setting(
        values.count, 0, "Proxies in front of the console: how many X-Forwarded-For and -Proto headers Attune trusts."
    )
    webhook_url: str | None = _setting(
        values.url("http", "https"),
        None,
        "URL of the console as Label Studio reaches it, if it differs from the public one.",
    )
    url: str | None = _setting(values.url("http", "https"), None, "URL of the Attune that `attune pull` uses.")
    token: str | None = _setting(str, None, "API token that `attune pull` sends.", secret=True)
    catalog_url: str | None = _setting(
        str, None, "Location of the catalog (fsspec). Default: a folder of the workspace."
    )
    cache: Path | None = _setting(values.path, None, "Folder for pulled probes. Default: the workspace's cache folder.")
    offline: bool = _setting(values.flag, False, "Connect to nothing: pull only from the cache.")
    encoder: str = _setting(str, "ViT-B-32", "Model name in open_clip, or path of a JSON config.")
    pretrained: str = _setting(
        str, "laion2b_s34b_b79k", "Tag of the weights in open_clip, or path of a checkpoint file."
    )
    resize_mode: str = _setting(str, "longest", "How images are resized to a square: squash, longest or shortest.")
    device: str = _setting(str, "auto", "torch device of the encoder: auto, cpu, cuda or mps.")
    embed_batch: int = _setting(values.positive, 64, "Number of images that are embedded at once.")
    engine: str = _setting(
        values.engine,
        "workers",
        "What does bulk work: workers (Attune's own processes), or ray (Ray Data, here or on the cluster RAY_ADDRESS).",
    )
    max_pixels: int = _setting(
        values.positive, 100_000_000, "Largest number of pixels of an image. Larger images are refused."
    )
    image_sources: str = _setting(
        values.image_sources,
        "file, https, s3, gs, az, abfs",
        "Allowed locations of images, separated by commas: kinds of URL, folders, and places such as "
        "s3://bucket/folder.",
    )
    private_hosts: str = _setting(
        values.hosts, "", "Private hosts and networks that images may come from, such as a MinIO, separated by commas."
    )
    queue_size: int = _setting(values.positive, 40, "Number of open tasks in each expert's queue.")
    audit_share: float = _setting(values.share, 0.2, "Share of titles that are reserved for audits.")
    strategy: str = _setting(str, "attune", "Query strategy: attune, margin, …, modal:NAME or skactiveml:NAME.")
    use_published: bool = _setting(
        values.flag, True, "Whether new probes use related probes (same encoder) as a transfer prior."
    )
    weigh_experts: bool = _setting(
        values.flag, True, "Whether the answers of an expert who clearly disagrees with the others count less."
    )
    workers: int = _setting(
        values.positive, 2, "Number of rq workers that `attune up` starts, beside the one that only ends access."
    )
    sync_seconds: int = _setting(values.positive, 30, "Seconds between two syncs with Label Studio.")
    notify_webhook_url: str | None = _setting(
        values.url("http", "https"),
        None,
        "URL to which notices are posted, signed. It often contains a token.",
        secret=True,
    )
    notify_webhook_secret: str | None = _setting(
        str, None, "Key that signs these posts. Default: one kept in the workspace.", secret=True
    )
    smtp_url: str | None = _setting(
        values.url("smtp", "smtps"), None, "Mail server for notices: smtp://user:password@host:587.", True
    )
    notify_from: str | None = _setting(str, None, "Sender of notices by email. Default: the first receiver.")
    notify_to: str | None = _setting(
        str, None, "Receivers of owners' notices by email, separated by commas. Default: every owner and admin."
    )
    stalled_days: int = _setting(values.positive, 3, "Days without an answer after which a queue is stalled.")
    oidc_issuer: str | None = _setting(
        values.url("http", "https", as_given=True),
        None,
        "URL of an OpenID Connect provider, for logins by a company's account.",
    )
    oidc_client_id: str | None = _setting(str, None, "Attune's client id at this provider.")
    oidc_secret_file: Path | None = _setting(
        values.path, None, "File (mode 0600) that holds the client's secret at this provider."
    )
    passwords: bool = _setting(
        values.flag, True, "Whether people can log in to the console with a password. Login links work in any case."
    )
    access_log_days: int = _setting(
        values.count, 90, "Days that the log of who saw and exported what is kept. 0 keeps none."
    )
    erase_after_days: int = _setting(
        values.count,
        0,
        "Days after which the personal data of a removed person is erased. 0 keeps it until you erase it.",
    )
    seed: int = _setting(values.whole, 0, "Seed of every random choice.")
    log_level: str = _setting(str, "INFO", "DEBUG, INFO, WARNING or ERROR.")

    # -- where things are ------------------------------------------------------------------------------------------
    @property
    def images(self) -> Path:
        """Where images that came in by browser are kept for good."""
        return self.workspace.absolute() / "images"

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
        shown_values = {}
        for item in fields(self):
            value = getattr(self, item.name)
            shown_values[item.name] = "" if value is None else MASK if item.metadata["secret"] else str(value)
        return shown_values

    def environment(self) -> dict[str, str]:
        """The ``ATTUNE_*`` variables that make another process build equal settings."""
        variables = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if value is not None:
                variables[variable(item.name)] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        return variables


def hidden(address: str) -> str:
    """An address without the user and password in it."""
    return address.rsplit("@", maxsplit=1)[-1]


def variable(name: str) -> str:
    """The environment variable of the setting ``name``."""
    return "ATTUNE_" + name.upper()
