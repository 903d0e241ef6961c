"""A cell that holds several values, such as genres: split in one way, whatever it is read for."""

from __future__ import annotations

import re
from typing import Any

# A comma between two digits belongs to a number: 1,5 and 1,000.
SEPARATORS = re.compile(r"[|;]|(?<!\d),|,(?!\d)")


def values_of(cell: Any) -> tuple[str, ...]:
    """The values in a cell, each once: a list, or a text with |, ; or , between them. Empty for None.

    A comma between two digits does not split. A dictionary is no value.
    """
    if cell is None:
        return ()
    parts = cell if isinstance(cell, list | tuple) else SEPARATORS.split(str(cell))
    texts = ("" if part is None or isinstance(part, dict) else str(part).strip() for part in parts)
    return tuple(dict.fromkeys(text for text in texts if text))
