"""Where a task or a page of ours stands in Label Studio: its id there is an address, and its key is who it is.

On SQLite Label Studio numbers imported tasks ``latest + 1`` (its tasks/serializers.py), so the id of a deleted task
goes to the next one imported, in whatever project. Whoever acts on an id checks first that our task is still there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = "attune_key"  # in the task's data
WHOLE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Address:
    """Label Studio's id of a task, and what must be found there: our key, or for older tasks the asset's id."""

    task: int
    key: str
    asset_id: str = ""  # empty for a page of images

    def is_at(self, data: Mapping[str, Any]) -> bool:
        """Whether the task with this ``data`` is ours: it has our key, unless it was made before keys, and our asset.

        A key alone says too little: someone may have copied the task and given the copy another image.
        """
        key = data.get(KEY)
        if key and key != self.key:
            return False
        return not self.asset_id or data.get("asset_id") == self.asset_id


def key_of(data: Mapping[str, Any]) -> str:
    """The key of ours that a task's data carries, or an empty string; anything else than 32 hex digits is none."""
    key = data.get(KEY)
    return key if isinstance(key, str) and WHOLE.fullmatch(key) else ""
