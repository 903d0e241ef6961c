"""Settings of our own Label Studio, read inside its environment: its own, a guard, and a SQLite that waits.

`attune_intake` takes requests in, and the guard (`attune_guard`) stands before every view; sessions are kept in the
database, so that they can be ended.

As shipped, a write that meets another fails at once with "database is locked", which an expert sees as an error and an
import as lost predictions. Write-ahead logging lets readers pass, and transactions that take the write lock when they
begin wait for each other (https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes).
"""

# First, because what comes next asks for some of these settings while it is itself being read.
from core.settings.base import *  # noqa: F403
from label_studio.core.settings.label_studio import *  # noqa: F403
import attune_calls
from label_studio.core.settings.label_studio import DATABASES, MIDDLEWARE
from wsgiref.simple_server import WSGIRequestHandler

for _database in DATABASES.values():
    if _database["ENGINE"].endswith("sqlite3"):
        _database["OPTIONS"] = {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        }

# Its server sends an answer's head and body apart. On a kept connection the body then waits until the other side has
# confirmed the head, which that side puts off by 40 ms: each answer took that much longer (RFC 9293, section 3.7.4).
WSGIRequestHandler.disable_nagle_algorithm = True

ROOT_URLCONF = "attune_urls"
MIDDLEWARE = ["attune_intake.Intake", *MIDDLEWARE, "attune_guard.Guard"]
SESSION_ENGINE = "attune_sessions"
# The webhook's own address is allowed, and none of the other reserved ones; `attune_calls` is stricter still.
SSRF_PROTECTION_ENABLED = True
USE_DEFAULT_BANNED_SUBNETS = False
USER_ADDITIONAL_BANNED_SUBNETS = attune_calls.banned()
# Files of the machine are nothing that a project may show.
LOCAL_FILES_SERVING_ENABLED = False
ENABLE_LOCAL_FILES_STORAGE = False
