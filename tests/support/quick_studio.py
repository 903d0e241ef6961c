"""A Label Studio that hashes passwords quickly; what it does is otherwise the product's.

Run as a program it is the stack (`attune.labeler.services`) with such a Label Studio.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attune.labeler.label_studio import local
from attune.labeler.services import __main__ as supervisor
from attune.labeler.services import parts

FOLDER = Path(__file__).with_name("label_studio")


def quick(environment: dict[str, str]) -> dict[str, str]:
    """The environment of a Label Studio with quick hashes."""
    path = os.pathsep.join([str(FOLDER), environment["PYTHONPATH"]])
    return environment | {"PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "quick_label_studio"}


@contextmanager
def stacks() -> Iterator[None]:
    """Each stack that begins in the block has such a Label Studio."""
    command = parts.our_command

    def ours(module: str, *arguments: str) -> tuple[str, ...]:
        return command(__name__ if module == "attune.labeler.services" else module, *arguments)

    parts.our_command = ours
    try:
        yield
    finally:
        parts.our_command = command


if __name__ == "__main__":
    usual = local.environment
    local.environment = lambda settings: quick(usual(settings))
    supervisor.main()
