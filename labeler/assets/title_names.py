"""What people call a title, from the asset table's own columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAME_COLUMNS = ("title", "title_name", "name")  # of the asset table, in this order, in capitals or not
LONGEST_NAME = 120


def title_name(columns: Mapping[str, Any]) -> str:
    """The title's name among an asset's own ``columns``, on one line; empty where none of `NAME_COLUMNS` has a text."""
    found = {str(key).casefold(): value for key, value in columns.items()}
    texts = (" ".join(str(found[key]).split()) for key in NAME_COLUMNS if found.get(key) is not None)
    return next((text[:LONGEST_NAME] for text in texts if text), "")
