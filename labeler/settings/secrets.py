"""Secrets: made at the first start, kept in one file of mode 0600, never printed."""

from __future__ import annotations

import json
import secrets as chance
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from filelock import FileLock

from attune.labeler.settings import Settings
from attune.models.errors import SettingsError
from attune.models.files.atomic import write_json


@dataclass(frozen=True, repr=False)
class Secrets:
    """What parts of one workspace prove themselves to each other with."""

    session_key: str  # signs the browser's sessions
    media_key: str  # signs the addresses of images
    webhook_secret: str  # marks our projects in Label Studio; their webhooks showed it once, to all who could log in
    hint_secret: str  # Label Studio shows it in X-Attune-Secret
    label_studio_password: str  # of Label Studio's administrator
    label_studio_token: str  # 40 hexadecimal characters, the administrator's legacy token
    machine_token: str  # bearer token of this machine's own pipelines
    redis_password: str  # of the Redis that `attune up` starts
    notice_key: str  # signs the notices that are posted to a webhook
    audit_key: str  # draws the titles that are reserved for audits, so that nobody who answers can work them out
    viewer_key: str  # hashes the viewers of histories that are kept
    label_studio_key: str  # signs Label Studio's sessions and tokens


def load(path: Path) -> Secrets:
    """The secrets in ``path``; the ones missing are made and written first.

    Raises SettingsError where the file is no JSON object.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=30):
        stored = _read(path)
        values = {item.name: stored.get(item.name) or chance.token_hex(20) for item in fields(Secrets)}
        secrets = Secrets(**values)
        if asdict(secrets) != stored:
            write_json(path, asdict(secrets), mode=0o600)
    return secrets


def redis_address(settings: Settings) -> str:
    """Address of Redis with its password, for clients: the one set, or our own.

    Only a start makes the password: a Redis that an older release started has none, and looking changes nothing.
    """
    password = None if settings.redis_url else _read(settings.secrets).get("redis_password")
    address = settings.redis_address
    return address if password is None else address.replace("://", f"://:{password}@", 1)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text())
        return {str(key): str(value) for key, value in stored.items()}
    except (ValueError, AttributeError) as error:
        raise SettingsError(
            f"{path} is not the JSON object of the workspace's secrets. Restore it from a backup. Or move it "
            "away: Attune then makes new secrets, and everyone must log in again."
        ) from error
