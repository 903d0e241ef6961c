"""What tells one workspace from another at the same address, in a browser that has seen both."""

from __future__ import annotations

import hashlib

from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import load

PURPOSE = b"attune workspace"


def workspace_id(settings: Settings) -> str:
    """12 hexadecimal characters, the same for as long as the workspace keeps its secrets, which they do not tell."""
    key = load(settings.secrets).session_key.encode()[:64]
    return hashlib.blake2b(PURPOSE, key=key, digest_size=6).hexdigest()
