"""A console that is served for real, by waitress, over a workspace with published and scored probes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import waitress

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.jobs import jobs
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from tests.labeler.catalog import worlds

ASSETS = 40


def workspace(folder: Path, **arguments: Any) -> Settings:
    """A champion of ``serious`` (two classes) and of ``romance`` (three), with feature values of ``ASSETS`` assets."""
    made = worlds.filled(folder, **arguments)
    worlds.add_assets(made, ASSETS)
    for name in ("serious", "romance"):
        moved = promote(made, Move(name, "latest", "r", "ana"))
        jobs.run_here(made, "score", attribute=name, version=moved.version)
    return made


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address of the console while the block lasts."""
    server = waitress.create_server(create_app(settings), host="127.0.0.1", port=0)

    def run() -> None:
        with suppress(OSError):  # its sockets are closed while it waits for them
            server.run()

    running = threading.Thread(target=run, daemon=True)
    running.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        running.join(timeout=10)
