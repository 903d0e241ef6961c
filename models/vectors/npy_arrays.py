"""Arrays of an ``.npz``, read from front to back and never held at once; what is pickled is never opened."""

from __future__ import annotations

from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.models.errors import DataError

MOST_AT_ONCE = 2**30  # bytes of an array that is stored column by column and has to be read whole


class NpyReader:
    """One array. Raises DataError, whose text goes on after the file's name, where it cannot be read in parts."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        version = np.lib.format.read_magic(self._file)  # type: ignore[no-untyped-call]
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        self.shape, fortran, self.dtype = read(self._file)  # type: ignore[no-untyped-call]
        if self.dtype.hasobject:
            raise DataError("contains pickled objects, which Attune does not open")
        self._row = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        self._whole = self._turned(name) if fortran and len(self.shape) > 1 else None
        self._at = 0

    def take(self, count: int) -> npt.NDArray[Any]:
        """The next ``count`` rows. Raises EOFError where the file ends before."""
        if self._whole is not None:
            start, self._at = self._at, self._at + count
            return self._whole[start : self._at]
        return _narrow(np.frombuffer(self._read(count * self._row), dtype=self.dtype).reshape(count, *self.shape[1:]))

    def _turned(self, name: str) -> npt.NDArray[Any]:
        size = self.shape[0] * self._row
        if size > MOST_AT_ONCE:
            raise DataError(
                f"stores {name} column by column, in {size / 2**30:.1f} GB (save numpy.ascontiguousarray of it)"
            )
        return _narrow(np.frombuffer(self._read(size), dtype=self.dtype).reshape(self.shape, order="F"))

    def _read(self, size: int) -> bytes:
        content = self._file.read(size)
        if len(content) != size:
            raise EOFError(f"it ends {size - len(content)} bytes too early")
        return content


def _narrow(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``values`` as float64 where its numbers are wider, such as longdouble, which neither Arrow nor einsum takes."""
    if values.dtype.kind != "f" or values.dtype.itemsize <= 8:
        return values
    with np.errstate(over="ignore"):
        return values.astype(np.float64)


def as_arrow(values: npt.NDArray[Any]) -> pa.Array:
    """A column of an ``.npz`` as Arrow has it; texts keep what is in them, bytes are not read yet."""
    if values.dtype.kind == "U":  # as bytes, so that a text with half a character spoils its own row alone
        return pa.array([text.encode("utf-8", "surrogatepass") for text in values.tolist()], pa.binary())
    if values.dtype.kind == "S":
        return pa.array(values.tolist(), pa.binary())
    return pa.array(values.astype(values.dtype.newbyteorder("=")))
