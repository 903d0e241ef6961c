"""Fixtures that every test may ask for, where temporary folders lie, and what may run side by side.

`make test` runs four processes on two cores, as each waits half of its time. A module stays in one of them, so that
what its tests share is made once. The modules that ask for the session's Label Studio are two groups of the same
length, those of `labeler/label_studio` and all others, and the journeys through one house are a third: each group stays
in one process, where what it shares is started once. What loads torch or open_clip, some seconds of a process, is a
fourth. What starts services of its own may run beside them. The longest come first, so that no process waits long at
the end.
"""

from __future__ import annotations

import atexit
import gc
import os
import re
import sys
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from werkzeug.security import generate_password_hash
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from attune.labeler.attributes import attributes
from attune.labeler.people import users
from attune.models.files import permissions
from attune.models.files.atomic import digest_json
from tests.support import addresses, memory, statements, templates

# Set before any library counts the cores: processes with several threads each wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# pytest rewrites each assertion of 350 modules, a third of what each process does before its first test: it keeps what
# it wrote beside them. Where these processes and those they start may keep nothing, all compile all of it each time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = ["tests.support.browser", "tests.support.databases", "tests.support.disks", "tests.support.services"]

# Each test leaves some ten thousand objects that only the collector finds. It looks after some tests, not several times
# a test: each time it walks through all that is still in use.
GARBAGE = 50_000
# What is imported and collected stays to the end, so there is no garbage to look for until `pytest_collection_finish`.
gc.disable()

ROOT = Path(__file__).resolve().parents[1]
AUDIT_SEED = attributes.audit_seed
# A law fails for its change alone: the same examples in every run, and no clock that a busy machine could trip.
# `pytest --hypothesis-profile=default` looks for new ones, and for twice as many.
settings.register_profile(
    "attune", max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("attune")


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary folders in memory unless --basetemp names a place, and what all tests have compiled alike."""
    if config.option.basetemp is None:
        memory.use()
    templates.share()
    addresses.share()
    statements.share()


def pytest_collection_finish() -> None:
    """What collecting made stays to the end: the collector of garbage need not walk through it again and again.

    Once pytest has looked for what is left of the tests, it is garbage: some libraries complain of what stays.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE)
    gc.enable()
    atexit.register(gc.unfreeze)


class ByModule(LoadScopeScheduling):
    """Shares modules out; those of a group count as one."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return _shared(module) or module

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue = OrderedDict(sorted(self.workqueue.items(), key=lambda one: _turn(one[0])))
        super()._assign_work_unit(node)


# A parameter of a test or of a fixture, as tests/support/services.py and tests/journeys/conftest.py name theirs.
OF_THE_SESSION = re.compile(r"\b(services: Services|live: Settings|ls: LabelStudio|project: Project)\b")
HOUSE = "tests/journeys/conftest.py"
OF_LABEL_STUDIO = "tests/labeler/label_studio"
# Themselves, or by what they call. A process takes four seconds and 400 MB for it: one process shall do so, not each.
LOADS_TORCH = re.compile(
    r"^ *(import|from) (torch|open_clip)\b|importorskip\(.torch|\b(tiny_tower|encoder_settings|OpenClipEncoder)\b"
    r"|^from attune.workers.jobs import .*\b(fine_tune|learn_taste)\b|^pytestmark = pytest\.mark\.torch",
    re.MULTILINE,
)
TORCH = "torch"


@cache
def _text(module: str) -> str:
    return (ROOT / module).read_text(encoding="utf-8")


def _shared(module: str) -> str | None:
    if "pytest.mark.services" not in _text(module):
        return TORCH if LOADS_TORCH.search(_text(module)) else None
    if OF_THE_SESSION.search(_text(module)):
        return OF_LABEL_STUDIO if module.startswith(OF_LABEL_STUDIO) else "services"
    return HOUSE if module.startswith("tests/journeys/") else None


def _turn(scope: str) -> int:
    """What shares services first, then what starts its own, what is slow and what waits for a browser."""
    if scope in {OF_LABEL_STUDIO, "services", HOUSE, TORCH}:
        return 0
    marks = ("pytest.mark.services", "pytest.mark.slow", "pytest.mark.browser")
    return next((turn for turn, mark in enumerate(marks, start=2) if mark in _text(scope)), 5)


# pytest-xdist 3.8 does not hand its own groups (--dist loadgroup) on to pytest 9.2.
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How the processes share the tests."""
    return ByModule(config, log)


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """A hash is slow on purpose, and tests log in a thousand times: scrypt in this process costs little.

    `test_a_password_is_kept_at_its_full_cost` asks for the real one.
    """

    def quick(password: str, method: str) -> str:
        return generate_password_hash(password, f"{method}:512:8:1")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "generate_password_hash", quick)
        yield


@pytest.fixture(scope="session", autouse=True)
def the_same_titles() -> Iterator[None]:
    """Which titles are reserved is secret, and so another lot in each workspace: here every test draws as it did last.

    `titles_by_secret_lot` asks for the real seed.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attributes, "audit_seed", lambda kept: int(digest_json([kept.seed])[:8], 16))
        yield


@pytest.fixture
def titles_by_secret_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed of the reserved titles as it is outside tests."""
    monkeypatch.setattr(attributes, "audit_seed", AUDIT_SEED)


@pytest.fixture(autouse=True)
def umask_of_before() -> Iterator[None]:
    """A program's `main` that is called in this process makes its files private; the next test begins without."""
    before = os.umask(0)
    os.umask(before)
    yield
    os.umask(before)
    permissions.forget()
