"""Columns of strings as numpy has them: a fixed width an entry, so that millions of ids are one block of memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

AT_ONCE = 50_000  # entries that are Python's strings at the same time


def text_array(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.str_]:
    """A column of strings without nulls (n,) as an array (n,).

    A part at a time: all of them as a list of Python's strings would take more memory than the array itself.
    """
    longest = pc.max(pc.utf8_length(column)).as_py() or 1
    texts = np.empty(len(column), dtype=f"<U{longest}")
    for start in range(0, len(column), AT_ONCE):
        texts[start : start + AT_ONCE] = column.slice(start, AT_ONCE).to_pylist()
    return texts
