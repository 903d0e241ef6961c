"""Where this machine pulls from: the address that was named, the web app of this workspace, or its catalog itself."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass

from attune.labeler.settings import Settings, secrets
from attune.models.errors import SettingsError

SECONDS = 2.0


@dataclass(frozen=True)
class Place:
    """An address to pull from and the token to show there; ``why`` says how it was found."""

    url: str | None
    token: str | None
    why: str


def find(settings: Settings, url: str | None = None) -> Place:
    """``url`` or ATTUNE_URL with ATTUNE_TOKEN; else this workspace's web app, or its catalog where that does not run.

    Raises SettingsError where there is no address and no workspace.
    """
    if url or settings.url:
        return Place(url or settings.url, settings.token, "named")
    if settings.offline:
        return Place(None, None, "offline")
    if settings.secrets.exists() and _serves(settings.web_address):
        token = settings.token or secrets.load(settings.secrets).machine_token
        return Place(settings.web_address, token, "the console of this workspace")
    if settings.catalog_url or (settings.workspace / "records.sqlite").exists() or settings.database_url:
        from attune.labeler.catalog.restore_files import restore
        from attune.labeler.records.session import migrate

        migrate(settings)
        restore(settings)
        return Place(settings.catalog_address, None, "the catalog of this workspace")
    raise SettingsError(
        f"No URL to pull from, and {settings.workspace} is not a workspace. Give --url http://HOST:8700 with a "
        "token in ATTUNE_TOKEN, or --workspace. To use only files that were pulled before, add --offline."
    )


def _serves(address: str) -> bool:
    """Whether an Attune answers there: the token is shown to nothing else."""
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=SECONDS) as response:
            return bool(response.headers.get("X-Request-ID")) and b'"up"' in response.read(200)
    except (OSError, urllib.error.URLError, http.client.HTTPException):
        return False
