"""Folders of the workspace's cache that an older Attune wrote and nothing reads any more."""

from __future__ import annotations

import shutil

from attune.labeler.settings import Settings

OLD = ("clusters", "scope-groups")  # both are in the records now


def delete(settings: Settings) -> int:
    """Delete them; how many there were."""
    found = [path for name in OLD if (path := settings.workspace / "cache" / name).is_dir()]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return len(found)
