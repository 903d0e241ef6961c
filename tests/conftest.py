"""Fixtures that every test may ask for, where temporary folders lie, and what may run side by side.

`make test` runs two processes. A module stays in one of them, so that what its tests share is made once; everything
that needs real services stays in one, too, so that only one Label Studio is started.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from attune.models.files import permissions
from tests.support import memory

# Set before any library counts the cores: two processes with two threads each wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["tests.support.browser", "tests.support.databases", "tests.support.disks", "tests.support.services"]

ROOT = Path(__file__).resolve().parents[1]
# A law fails for its change alone: the same examples in every run, and no clock that a busy machine could trip.
# `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile("attune", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("attune")


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary folders in memory unless --basetemp names a place."""
    if config.option.basetemp is None:
        memory.use()


class ByModule(LoadScopeScheduling):
    """Shares modules out; those with the mark ``services`` count as one."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return "services" if _needs_services(module) else module


@cache
def _needs_services(module: str) -> bool:
    return "pytest.mark.services" in (ROOT / module).read_text(encoding="utf-8")


# pytest-xdist 3.8 does not hand its own groups (--dist loadgroup) on to pytest 9.2.
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How two processes share the tests."""
    return ByModule(config, log)


@pytest.fixture(autouse=True)
def umask_of_before() -> Iterator[None]:
    """A program's `main` that is called in this process makes its files private; the next test begins without."""
    before = os.umask(0)
    os.umask(before)
    yield
    os.umask(before)
    permissions.forget()
