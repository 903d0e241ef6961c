"""One at a time for one person; others go on, and a killed holder lets go."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune.labeler.people.access_lock import hold_access_lock
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from attune.models.errors import ServiceDown
from tests.support import databases, factories

ANA, BEN = "ana@example.org", "ben@example.org"
HOLD = """
import sys, time
from pathlib import Path
from attune.labeler import settings
from attune.labeler.people.access_lock import hold_access_lock
made = settings.build({}, workspace=Path(sys.argv[1]), database_url=sys.argv[2] or None)
with hold_access_lock(made, sys.argv[3]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(params=databases.BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    made = factories.workspace(tmp_path, database_url=databases.database(request))
    yield made
    engine(made.records_url).dispose()


def test_a_killed_worker_lets_go_and_others_never_waited(settings: Settings) -> None:
    url = "" if settings.records_url.startswith("sqlite") else settings.records_url
    command = [sys.executable, "-c", HOLD, str(settings.workspace), url, ANA]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            with hold_access_lock(settings, BEN, 1):
                pass
            with pytest.raises(ServiceDown, match=ANA), hold_access_lock(settings, ANA, 1):
                pytest.fail("two had the turn")
        finally:
            holder.kill()
    with hold_access_lock(settings, ANA, 10):
        pass
