"""The columns of a performance file, what is wrong with a row, and how a file's own names are mapped to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attune.models.errors import DataError

REQUIRED = ("asset_id", "title_id", "canvas", "impressions", "takes")
GROUPS = ("country", "device", "member_cluster")
PERIOD = ("period_start", "period_end")
FIELDS = (*REQUIRED, *GROUPS, "arm", "propensity", *PERIOD)
ARMS = ("explore", "serve")
SIMULATED = b"attune.simulated"  # key of a Parquet file's schema: nobody measured these rows
# What makes two rows the same measurement: a row that comes again replaces the one before.
KEY = ("asset_id", "title_id", "canvas", *GROUPS, "arm")
# In this order: of a row with several faults the first is named.
FAULTS = (
    ("no asset_id", "it has no asset_id"),
    ("no title_id", "it has no title_id"),
    ("no canvas", "it has no canvas"),
    ("no impressions", "it has no impressions, so its takes have no weight"),
    ("bad impressions", "its impressions are not a whole number of 0 or more"),
    ("no takes", "it has no takes"),
    ("bad takes", "its takes are not a number of 0 or more"),
    ("takes above impressions", "it has more takes than impressions"),
    ("bad arm", "its arm is neither explore nor serve"),
    ("bad propensity", "its propensity is not above 0 and at most 1"),
    ("bad period", "its period is not two times in UTC, such as 2026-01-05 and 2026-01-12"),
    ("period ends early", "its period ends before it starts"),
)
DOUBLED = (
    "counted twice",
    "another row of the same image and canvas covers its period, so its takes would count twice",
)
SHAPE = ("bad row", "it does not have the columns of the header, or is not UTF-8 text")


def parse_map(pairs: Iterable[str], fields: Sequence[str] = FIELDS) -> dict[str, str]:
    """Field -> the file's column, of texts ``column=field``. Raises DataError for another form or field."""
    found: dict[str, str] = {}
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals or not column:
            raise DataError(f"--map is {pair[:60]!r}. Write the file's column first: --map views=impressions")
        if field not in fields:
            raise DataError(f"--map {pair[:60]}: there is no field {field!r}. The fields are {', '.join(fields)}.")
        if field in found:
            raise DataError(f"--map names {field} twice, with {found[field]!r} and {column!r}. Keep one of them.")
        found[field] = column
    return found


def choose(
    names: Sequence[str], mapped: Mapping[str, str], file: str, fields: Sequence[str] = FIELDS,
    required: Sequence[str] = REQUIRED,
) -> dict[str, str]:  # fmt: skip
    """Field -> column for the columns ``names`` of ``file``. Raises DataError where a required one is missing."""
    for field, column in mapped.items():
        if column not in names:
            raise DataError(f"--map {column}={field}: {file} has no column {column!r}. It has {_listed(names)}.")
    small = [name.lower() for name in names]  # as DuckDB reads them
    twice = sorted({name for name in names if small.count(name.lower()) > 1})
    if twice:
        raise DataError(
            f"{file} has a column more than once: {', '.join(twice)}. Capitals make no difference. Rename or delete "
            "one of them."
        )
    chosen = {field: mapped.get(field, field) for field in fields if mapped.get(field, field) in names}
    missing = [field for field in required if field not in chosen]
    if missing:
        raise DataError(
            f"{file} has no column {', '.join(missing)}. It has {_listed(names)}. Rename columns, or say which is "
            f"which: --map COLUMN={missing[0]}"
        )
    if len([name for name in PERIOD if name in chosen]) == 1:
        raise DataError(f"{file} has only one of period_start and period_end. Give both, or neither.")
    return chosen


def _listed(names: Sequence[str]) -> str:
    return "the columns " + ", ".join(names[:15]) + (" and more" if len(names) > 15 else "")
