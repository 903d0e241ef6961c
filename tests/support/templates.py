"""Compiled templates that every app of this process shares: a test makes an app of its own, and compiling the same
templates for each took half of the time of the tests of pages."""

from __future__ import annotations

from types import CodeType

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache


class Compiled(BytecodeCache):
    """Keeps code in memory, by the template's name and the digest of its text: a changed template is compiled anew."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self.kept[bucket.key, bucket.checksum] = bucket.code


def share() -> None:
    """From now on, each Flask app of this process looks here before it compiles."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}
