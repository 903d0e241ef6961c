"""A record of float32 arrays as the bytes of a safetensors file, and back: probes and learned spaces are such files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

T = TypeVar("T")


class NotTensors(ValueError):
    """The bytes are not safetensors."""


class OtherTensors(ValueError):
    """The file has other tensors than the record; the text says which, as the end of a sentence and the next one."""


def to_bytes(record: Any, metadata: Mapping[str, str]) -> bytes:
    """The content of the file; equal numbers give equal bytes. ``record`` is a dataclass of float32 arrays."""
    tensors = {item.name: np.ascontiguousarray(getattr(record, item.name)) for item in fields(record)}
    return save(tensors, metadata=dict(metadata))


def read(content: bytes, kind: type[T]) -> T:
    """The record of ``kind`` that ``content`` holds. Raises NotTensors, OtherTensors, and what ``kind`` raises."""
    try:
        tensors = load(content)
    except (SafetensorError, ValueError) as error:
        raise NotTensors from error
    parts = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    wrong = [part for part in parts if part not in tensors or tensors[part].dtype != np.float32]
    if wrong:
        raise OtherTensors(f"contains {sorted(tensors)}, and {wrong[0]!r} is wrong. Expected {parts} as float32.")
    return kind(**{part: tensors[part] for part in parts})
