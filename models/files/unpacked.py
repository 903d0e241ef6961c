"""How large a Parquet or Arrow table becomes as Python values, told before it does: equal cells take next to no room.

Formats: https://arrow.apache.org/docs/format/Columnar.html (messages, compressed buffers, views), and Parquet's
dictionaries, which pyarrow keeps as dictionaries where it is told to.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from attune.models.errors import DataError

OF_A_CELL = 16  # bytes that a cell takes at least
VIEW = 16  # bytes of a view, whose first four are its length
DICTIONARY_BATCH = 2  # of the flatbuffers' union MessageHeader
TEXTS = (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string, pa.types.is_large_binary)


def size(batch: pa.RecordBatch) -> int:
    """Bytes that the cells of ``batch`` have between them, each counted as often as it appears.

    Raises DataError for a column whose cells cannot be counted so.
    """
    made = int(OF_A_CELL * batch.num_rows * batch.num_columns)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            made += int(_of(column))
        except NotImplementedError as error:
            raise DataError(
                f"has the column {name!r} of the type {str(error)[:80]}, which is not read. Leave it out, or give CSV."
            ) from error
    return made


def _of(column: pa.Array) -> int:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return int(_of(column.storage))
    if pa.types.is_dictionary(kind):
        if pa.types.is_nested(kind.value_type) or pa.types.is_dictionary(kind.value_type):
            raise NotImplementedError(str(kind))
        return int(_lengths(column.dictionary)[column.indices.drop_null().to_numpy(zero_copy_only=False)].sum())
    if pa.types.is_struct(kind):
        return sum(_of(part) for part in column.flatten())
    if pa.types.is_map(kind):
        return OF_A_CELL * len(column.keys) + _of(column.keys) + _of(column.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = column.flatten()
        return OF_A_CELL * len(inner) + _of(inner)
    if pa.types.is_nested(kind) or pa.types.is_run_end_encoded(kind):
        raise NotImplementedError(str(kind))
    return int(_lengths(column).sum())


def _lengths(column: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Bytes of each cell of a column that is not nested."""
    kind = column.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        views = column.buffers()[1]
        held = np.frombuffer(views, np.int32, (column.offset + len(column)) * VIEW // 4)[:: VIEW // 4]
        return np.maximum(held[column.offset :].astype(np.int64), 0)
    if any(test(kind) for test in TEXTS):
        return np.asarray(pc.fill_null(pc.binary_length(column), 0), dtype=np.int64)
    return np.full(len(column), 0 if pa.types.is_null(kind) else kind.bit_width // 8, dtype=np.int64)


def texts(file: pq.ParquetFile) -> list[str]:
    """The columns of texts and bytes: read as dictionaries, equal cells stay one."""
    columns = [file.schema.column(place) for place in range(len(file.schema))]
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY" and _plain(column)]


def _plain(column: pq.ColumnSchema) -> bool:
    return column.logical_type.type in {"NONE", "STRING"}


def declared(messages: bytes) -> int:
    """Bytes that the compressed parts of a stream of Arrow messages say they become. Raises ArrowException."""
    made = 0
    reader = pa.ipc.MessageReader.open_stream(pa.BufferReader(messages))
    for message in reader:
        if message.type in {"dictionary", "record batch"} and message.body is not None:
            made += _declared(message.metadata.to_pybytes(), memoryview(message.body))
    return made


def _declared(told: bytes, body: memoryview) -> int:
    """The same of one message; ``told`` is its flatbuffer: Message(version, header_type, header, body's length)."""
    try:
        root = _follow(told, 0)
        header = _follow(told, _field(told, root, 2))
        if told[_field(told, root, 1)] == DICTIONARY_BATCH:  # (id, data, is_delta)
            header = _follow(told, _field(told, header, 1))
        if not _field(told, header, 3):  # (length, nodes, buffers, compression)
            return 0
        start = _follow(told, _field(told, header, 2))
        (count,) = struct.unpack_from("<I", told, start)
        places = struct.iter_unpack("<qq", told[start + 4 : start + 4 + 16 * count])
        # Each compressed buffer begins with its length; -1 means that it is as it is.
        return sum(max(0, struct.unpack_from("<q", body, offset)[0]) for offset, length in places if length >= 8)
    except (struct.error, IndexError) as error:
        raise pa.ArrowInvalid("a message of it is damaged") from error


def _field(told: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffer's table stands; 0 where it has its default."""
    vtable = table - struct.unpack_from("<i", told, table)[0]
    place = vtable + 4 + 2 * number
    if place >= vtable + struct.unpack_from("<H", told, vtable)[0]:
        return 0
    (offset,) = struct.unpack_from("<H", told, place)
    return int(table + offset) if offset else 0


def _follow(told: bytes, at: int) -> int:
    return int(at + struct.unpack_from("<I", told, at)[0])
