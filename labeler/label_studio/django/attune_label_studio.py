"""Settings of our own Label Studio, read inside its environment: its own, and a SQLite that waits instead of failing.

As shipped, a write that meets another fails at once with "database is locked", which an expert sees as an error and an
import as lost predictions. Write-ahead logging lets readers pass, and transactions that take the write lock when they
begin wait for each other (https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes).
"""

# First, because what comes next asks for some of these settings while it is itself being read.
from core.settings.base import *  # noqa: F403
from label_studio.core.settings.label_studio import *  # noqa: F403
from label_studio.core.settings.label_studio import DATABASES

for _database in DATABASES.values():
    if _database["ENGINE"].endswith("sqlite3"):
        _database["OPTIONS"] = {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        }
