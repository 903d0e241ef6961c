"""An error of ours as a table: an engine that copies exceptions between machines loses what lies under its own."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from attune.models import errors
from attune.models.errors import AttuneError, JobError

Work = Callable[[pa.Table], pa.Table]
CLASS, MESSAGE = "attune.error", "attune.message"  # columns that no result has


def guarded(make: Callable[[], Work]) -> Work:
    """The function that ``make`` makes, which answers with a table of its error where it or ``make`` raises one."""
    try:
        work = make()
    except AttuneError as error:
        failed = as_table(error)
        return lambda table: failed

    def run(table: pa.Table) -> pa.Table:
        try:
            return work(table)
        except AttuneError as error:
            return as_table(error)

    return run


def as_table(error: AttuneError) -> pa.Table:
    """One row: the class of ``error`` and its message."""
    return pa.table({CLASS: [type(error).__name__], MESSAGE: [str(error)]})


def checked(table: pa.Table) -> pa.Table:
    """``table``, unless it is one of an error: raises that."""
    if CLASS not in table.column_names:
        return table
    name, message = (table[column][0].as_py() for column in (CLASS, MESSAGE))
    kind = getattr(errors, name, JobError)
    raise (kind if isinstance(kind, type) and issubclass(kind, AttuneError) else JobError)(message)
