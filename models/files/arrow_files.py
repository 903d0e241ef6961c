"""Arrow files of one batch in the workspace, mapped; a lost or damaged one is told with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pyarrow as pa

from attune.models.errors import DataError


def read_columns(path: Path, names: Sequence[str], what: str) -> dict[str, npt.NDArray[Any]]:
    """Those of the columns ``names`` that the file has, each (n,).

    Raises DataError where the file is gone or damaged; ``what`` says in its text what the file holds, and what to do.
    """
    try:
        with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
            batch = reader.get_batch(0)
        return {name: batch.column(name).to_numpy(zero_copy_only=False) for name in names if name in batch.schema.names}
    except FileNotFoundError as error:
        raise DataError(f"The file {path} does not exist. {what}") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"The file {path} is damaged. {what}") from error
