"""A table of Arrow's for other programs: CSV or Parquet, by the name that somebody gives the file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from attune.models.errors import DataError
from attune.models.files.outputs import user_file

SUFFIXES = (".csv", ".parquet")


def check_table_suffix(to: Path) -> None:
    """Raise DataError where ``to`` is neither CSV nor Parquet: before the work for it is done."""
    if to.suffix.lower() not in SUFFIXES:
        raise DataError(f"--to is {str(to)!r}. Give a file name that ends in {' or '.join(SUFFIXES)}.")


def write_table(to: Path, table: pa.Table) -> int:
    """Write ``table`` to a CSV or Parquet file; how many rows. Raises DataError for another suffix."""
    check_table_suffix(to)
    with user_file(to) as file:
        if to.suffix.lower() == ".csv":
            pa_csv.write_csv(table, file)
        else:
            pq.write_table(table, file)
    return int(table.num_rows)
