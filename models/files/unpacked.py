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

OF_A_CELL = 16  # bytes that a cell takes at least
WIDEST = 1024  # bytes of a cell of fixed width: a Parquet file may hold a wide one a million times in a few bytes
VIEW = 16  # bytes of a view, whose first four are its length
DICTIONARY_BATCH = 2  # of the flatbuffers' union MessageHeader
TEXTS = (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string, pa.types.is_large_binary)
VIEWS = (pa.types.is_string_view, pa.types.is_binary_view)
AS_TEXT = {"NONE", "STRING", "ENUM"}  # logical types of Parquet's bytes that pyarrow can keep as dictionaries


def is_supported(kind: pa.DataType) -> bool:
    """Whether cells of this type are read: a text, bytes, a number, yes or no, a moment, or a dictionary of those.

    Lists and the like are not: what their cells become cannot be told from the file before they have become it.
    """
    if pa.types.is_dictionary(kind):
        inner = kind.value_type
        return is_supported(inner) and not (pa.types.is_dictionary(inner) or pa.types.is_null(inner))
    if any(test(kind) for test in (*TEXTS, *VIEWS)) or pa.types.is_null(kind):
        return True
    return bool(pa.types.is_primitive(kind) or _wide(kind)) and kind.bit_width <= 8 * WIDEST


def _wide(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind) or pa.types.is_interval(kind))


def size(batch: pa.RecordBatch) -> int:
    """Bytes that the cells of ``batch`` have between them, each counted as often as it appears.

    All its columns are of types that ``is_supported``.
    """
    return int(OF_A_CELL * batch.num_rows * batch.num_columns) + sum(_of(column) for column in batch.columns)


def _of(column: pa.Array) -> int:
    kind = column.type
    if pa.types.is_null(kind):
        return 0
    value_kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not any(test(value_kind) for test in (*TEXTS, *VIEWS)):
        return int(len(column) * value_kind.bit_width // 8)
    if pa.types.is_dictionary(kind):
        return int(_lengths(column.dictionary)[column.indices.drop_null().to_numpy(zero_copy_only=False)].sum())
    return int(_lengths(column).sum())


def _lengths(column: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Bytes of each cell of a column of texts."""
    if any(test(column.type) for test in VIEWS):
        views = column.buffers()[1]
        lengths = np.frombuffer(views, np.int32, (column.offset + len(column)) * VIEW // 4)[:: VIEW // 4]
        return np.maximum(lengths[column.offset :].astype(np.int64), 0)
    return np.asarray(pc.fill_null(pc.binary_length(column), 0), dtype=np.int64)


def texts(file: pq.ParquetFile) -> list[str]:
    """The columns of texts and bytes: read as dictionaries, equal cells stay one."""
    columns = [file.schema.column(place) for place in range(len(file.schema))]
    return [
        column.path
        for column in columns
        if column.physical_type == "BYTE_ARRAY" and column.logical_type.type in AS_TEXT
    ]


def flat(file: pq.ParquetFile) -> list[str]:
    """The columns of a Parquet file that can be read; ``file`` was opened with its ``texts`` as dictionaries."""
    columns = {file.schema.column(place).path: file.schema.column(place) for place in range(len(file.schema))}
    return [
        name
        for name, kind in zip(file.schema_arrow.names, file.schema_arrow.types, strict=True)
        if name in columns
        and is_supported(kind)
        and (columns[name].physical_type != "BYTE_ARRAY" or pa.types.is_dictionary(kind))
        # pyarrow takes "a.b" along where "a" is asked for.
        and not any(path.startswith(f"{name}.") for path in columns)
    ]


def declared(messages: bytes) -> int:
    """Bytes that the compressed parts of a stream of Arrow messages say they become. Raises ArrowException."""
    total_bytes = 0
    reader = pa.ipc.MessageReader.open_stream(pa.BufferReader(messages))
    for message in reader:
        if message.type in {"dictionary", "record batch"} and message.body is not None:
            total_bytes += _declared(message.metadata.to_pybytes(), memoryview(message.body))
    return total_bytes


def _declared(flatbuffer: bytes, body: memoryview) -> int:
    """The same of one message; ``flatbuffer``: Message(version, header_type, header, body's length)."""
    try:
        root = _follow_offset(flatbuffer, 0)
        header = _follow_offset(flatbuffer, _field(flatbuffer, root, 2))
        if flatbuffer[_field(flatbuffer, root, 1)] == DICTIONARY_BATCH:  # (id, data, is_delta)
            header = _follow_offset(flatbuffer, _field(flatbuffer, header, 1))
        if not _field(flatbuffer, header, 3):  # (length, nodes, buffers, compression)
            return 0
        start = _follow_offset(flatbuffer, _field(flatbuffer, header, 2))
        (count,) = struct.unpack_from("<I", flatbuffer, start)
        places = struct.iter_unpack("<qq", flatbuffer[start + 4 : start + 4 + 16 * count])
        # Each compressed buffer begins with its length; -1 means that it is as it is.
        return sum(max(0, struct.unpack_from("<q", body, offset)[0]) for offset, length in places if length >= 8)
    except (struct.error, IndexError) as error:
        raise pa.ArrowInvalid("a message of it is damaged") from error


def _field(flatbuffer: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffer's table stands; 0 where it has its default."""
    vtable = table - struct.unpack_from("<i", flatbuffer, table)[0]
    place = vtable + 4 + 2 * number
    if place >= vtable + struct.unpack_from("<H", flatbuffer, vtable)[0]:
        return 0
    (offset,) = struct.unpack_from("<H", flatbuffer, place)
    return int(table + offset) if offset else 0


def _follow_offset(flatbuffer: bytes, at: int) -> int:
    return int(at + struct.unpack_from("<I", flatbuffer, at)[0])
