"""`python -m tests.resilience.restored`: back a running Attune up while experts answer, restore it, start it elsewhere.

The last line is one JSON object. Every answer that Label Studio had taken when the backup began must be in the restored
records and in the restored Label Studio, on its image; exit code 0 where it is so.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from attune.labeler import settings as reader
from attune.labeler.backups.restore import restore
from attune.labeler.backups.take import take
from attune.labeler.services import Stack, free_ports
from tests.resilience import ledger as ledgers
from tests.resilience.campaign import fill, people, settle
from tests.resilience.ledger import Ledger

BEFORE, MOST_SECONDS = 40, 600.0


def main() -> None:
    """Run, print, and leave the workspaces where something was wrong."""
    folder = Path(tempfile.mkdtemp(prefix="attune-restored-"))
    settings, ledger = free_ports(reader.build({}, workspace=folder / "workspace")), Ledger()
    with Stack(settings, lambda line: print(line, file=sys.stderr)):
        fill(settings, 1000, 0)
        threads = people(settings, ledger)
        for thread in threads:
            thread.start()
        until = time.monotonic() + MOST_SECONDS
        while len(ledger) < BEFORE and time.monotonic() < until:
            time.sleep(0.5)
        time.sleep(60)  # the records have read those by then
        kept = Ledger(dict(ledger.given))
        began = time.monotonic()
        made = take(settings, folder / "backup", lambda _done, _total: None)
        seconds, after = time.monotonic() - began, len(ledger)
        for thread in threads:
            thread.stopping.set()
        for thread in threads:
            thread.join(120)
    new = free_ports(replace(settings, workspace=folder / "new"))
    restore(folder / "backup", new, lambda _done, _total: None)
    with Stack(new, lambda line: print(line, file=sys.stderr)):
        settle(new)
        wrong = ledgers.compare(new, kept)
    wrong.pop("stale")  # an answer may have been changed between the two moments
    found = {
        "ok": len(kept) >= BEFORE and not any(wrong.values()),
        "answers before the backup": len(kept),
        "answers while it was taken": after - len(kept),
        "answers in the backup": made.counts.answers,
        "seconds": round(seconds, 2),
        "wrong": {name: some[:5] for name, some in wrong.items() if some},
        "folder": str(folder),
    }
    print(json.dumps(found))
    sys.exit(0 if found["ok"] else 1)


if __name__ == "__main__":
    main()
