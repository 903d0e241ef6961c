"""Tables as text: commas, semicolons or tabs, read so that no row is lost and none swallows others.

Commas and semicolons are read by RFC 4180, where a field may stand in quotation marks. A mark that is never closed, or
only some rows later, is no quoting: its line is then read as it stands. Tabs know no quoting (IANA's
text/tab-separated-values), yet R, spreadsheets and Python write it: a cell is unquoted where the file shows that
quoting is meant.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from attune.models.errors import DataError

DELIMITERS = ",;\t"
SAMPLE = 200  # records by which a delimiter is judged
MOST_IN_A_FIELD = 2**24  # characters
QUOTED = re.compile(r'"(?:[^"]|"")*"')
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # a line by which spreadsheets are told the delimiter

csv.field_size_limit(MOST_IN_A_FIELD)  # Python's own limit is 131,072


@dataclass(frozen=True)
class Record:
    """One row as it was written: the ``line`` on which it begins, counted from 1, and its cells."""

    line: int
    cells: list[str]


def decoded(content: bytes) -> str:
    """The text in ``content``: UTF-8, or UTF-16 that says so by its byte-order mark. Raises DataError."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        coding, line = "UTF-16" if wide else "UTF-8", content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"is not {coding} text in line {line} (byte {error.start} is {content[error.start]:#04x}). Save it "
            "as CSV UTF-8, then try again."
        ) from error


def records(text: str, names: Sequence[str]) -> list[Record]:
    """All records of a table, the header first, blank lines left out; ``names`` are columns that a header may have."""
    lines = list(io.StringIO(text, newline=""))
    separator = _SEP.fullmatch(lines[0]) if lines else None
    if separator:
        lines[0] = "\n"
    delimiter = separator.group(1) if separator and separator.group(1) in DELIMITERS else _delimiter(lines, names)
    record_stream = _tabbed(lines) if delimiter == "\t" else _quoted(lines, delimiter)
    return [record for record in record_stream if any(cell.strip() for cell in record.cells)]


def _delimiter(lines: list[str], names: Sequence[str]) -> str:
    """The delimiter by which the header has most of ``names``, then by which most records are as wide as it."""

    def score(delimiter: str) -> tuple[int, float, int]:
        record_stream = (
            _lines_of_tabs(lines[: 2 * SAMPLE]) if delimiter == "\t" else _quoted(lines[: 2 * SAMPLE], delimiter)
        )
        some = [record.cells for record, _ in zip(_not_blank(record_stream), range(SAMPLE), strict=False)]
        if not some:
            return 0, 0.0, 0
        header = {cell.strip().strip('"').lstrip("'") for cell in some[0]}
        width = len(some[0])
        alike = sum(len(cells) == width for cells in some) / len(some)
        return len(header & set(names)), alike if width > 1 else 0.0, width

    return max(DELIMITERS, key=score)


def _not_blank(record_stream: Iterator[Record]) -> Iterator[Record]:
    return (record for record in record_stream if any(cell.strip() for cell in record.cells))


def _quoted(lines: list[str], delimiter: str) -> Iterator[Record]:
    start = 0
    header: list[str] = []
    while start < len(lines):
        reader = csv.reader((lines[place] for place in range(start, len(lines))), delimiter=delimiter, strict=True)
        at = 0
        try:
            for cells in reader:
                several = reader.line_num > at + 1 and header
                if several and _has_swallowed_rows(lines[start + at : start + reader.line_num], delimiter, header):
                    break
                yield Record(start + at + 1, cells)
                header = header or _filled(cells)
                at = reader.line_num
            else:
                return
        except csv.Error:
            pass
        # A mark that opens a field and is not closed, or closed in its midst or in another row: the line alone is read
        # as it stands.
        cells = _split_loosely(lines[start + at], delimiter)
        yield Record(start + at + 1, cells)
        header = header or _filled(cells)
        start += at + 1


def _has_swallowed_rows(lines: list[str], delimiter: str, header: Sequence[str]) -> bool:
    """Whether the lines of one quoted record are rows of their own, between two stray marks.

    So it is where each of them, or of three columns and more the first and the last, is as wide as the header and
    begins with a cell that is filled: the lines of a note are not. Where one is by chance, it shows itself by the space
    after a comma, unless the header has it too.
    """
    width = len(header)
    lines = [line for line in lines if line.strip()]
    if len(lines) < 2:
        return False
    ends = [lines[0], lines[-1]] if width > 2 else lines
    spaced = any(line.partition(delimiter)[2].startswith(" ") for line in ends)
    if spaced and not (width > 1 and header[1].startswith(" ")):
        return False
    rows = [_split_loosely(line, delimiter) for line in ends]
    return all(_is_full(cells, width) and cells[0].strip() for cells in rows)


def _is_full(cells: Sequence[str], width: int) -> bool:
    """Whether ``cells`` are ``width``, apart from empty ones at the end."""
    return len(cells) >= width and not any(cell.strip() for cell in cells[width:])


def _filled(cells: Sequence[str]) -> list[str]:
    """``cells`` without the empty ones at the end."""
    return list(cells[: max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)])


def _split_loosely(line: str, delimiter: str) -> list[str]:
    """The cells of one line: quoted where a mark opens and another one closes the cell, else with the marks in it."""
    line = line.rstrip("\r\n")
    cells, at = [], 0
    while True:
        match = QUOTED.match(line, at)
        end = match.end() if match else at
        if match is None or line[end : end + 1] not in ("", delimiter):
            end = line.find(delimiter, at)
            end = len(line) if end < 0 else end
        cells.append(_unquoted(line[at:end].strip(), True) if '"' in line[at:end] else line[at:end])
        if end == len(line):
            return cells
        at = end + 1


def _tabbed(lines: list[str]) -> Iterator[Record]:
    plain = list(_lines_of_tabs(lines))
    if len({len(record.cells) for record in _not_blank(iter(plain))}) > 1:
        # Tabs or line breaks inside quotation marks, if reading them so makes all records of one width.
        whole = list(_quoted(lines, "\t"))
        if len({len(record.cells) for record in _not_blank(iter(whole))}) == 1 and _full(whole) >= _full(plain):
            return iter(whole)
    header = next(_not_blank(iter(plain)), None)
    always = header is not None and all(QUOTED.fullmatch(cell) for cell in header.cells)
    return (Record(record.line, [_unquoted(cell, always) for cell in record.cells]) for record in plain)


def _full(records: list[Record]) -> int:
    """How many records are as wide as the first one that is not blank."""
    there = [record.cells for record in _not_blank(iter(records))]
    return sum(_is_full(cells, len(_filled(there[0]))) for cells in there)


def _lines_of_tabs(lines: list[str]) -> Iterator[Record]:
    return (Record(number, line.rstrip("\r\n").split("\t")) for number, line in enumerate(lines, 1))


def _unquoted(cell: str, always: bool) -> str:
    """A cell without its quotation marks, where the file quotes ``always`` or the cell holds a doubled one."""
    if not QUOTED.fullmatch(cell):
        return cell
    inner = cell[1:-1]
    return inner.replace('""', '"') if always or '""' in inner else cell
