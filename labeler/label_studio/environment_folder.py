"""Where Label Studio's own environment lies, and which release is in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from attune.labeler.settings import Settings
from attune.models.files.atomic import digest_file

VERSION = "1.23.2"
# Label Studio names ranges; this has the releases that it was seen to work with, and the digest of each of their files.
LOCK = Path(__file__).with_name("label-studio.lock")


def folder(settings: Settings) -> Path:
    """Where the environment is or will be: the one set, else one under the user's cache folder.

    Its name holds the lock's digest, so that two releases of Attune on one machine do not install over each other.
    """
    if settings.label_studio_env is not None:
        return settings.label_studio_env
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    return cache() / f"label-studio-{VERSION}-{python}-{digest_file(LOCK)[:8]}"


def cache() -> Path:
    """Folder for what all workspaces of this user share and could be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attune"


def executable(settings: Settings) -> Path:
    """The label-studio command of that environment; it need not exist yet."""
    return folder(settings) / "bin" / "label-studio"
