"""Compiled templates that every app of this process shares: a test makes an app of its own, and compiling the same
templates for each took half of the time of the tests of pages. The processes of a run share them by files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import CodeType

from flask import Flask
from jinja2.bccache import Bucket, FileSystemBytecodeCache

FOLDER = Path(__file__).parent / "__pycache__" / "templates"  # beside what Python keeps, which git leaves alone


class Compiled(FileSystemBytecodeCache):
    """Keeps code in memory, by the template's name and the digest of its text: a changed template is compiled anew."""

    def __init__(self) -> None:
        with suppress(OSError):  # without a folder each process compiles for itself
            FOLDER.mkdir(parents=True, exist_ok=True)
        super().__init__(str(FOLDER))
        self.kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))
        if bucket.code is None:
            super().load_bytecode(bucket)
            self._keep(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._keep(bucket)
        with suppress(OSError):
            super().dump_bytecode(bucket)

    def _keep(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self.kept[bucket.key, bucket.checksum] = bucket.code


def share() -> None:
    """From now on, each Flask app of this process looks here before it compiles."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}
