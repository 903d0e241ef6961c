"""What a process of `test_killed.py` does for the first time only, done when it is loaded into the fork server.

A first promotion loads modules, and SQLAlchemy sets up its mappers: most of what a process took that did one promotion,
and so most of what a kill met.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from attune.labeler.records.session import engine
from tests.labeler.catalog import moves, worlds

with tempfile.TemporaryDirectory() as folder:
    made = worlds.filled(Path(folder) / "workspace")
    moves.promote_one(made.workspace, "1", "to have done it once")
    engine(made.records_url).dispose()
