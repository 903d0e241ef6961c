"""Fixtures that every test may ask for, where temporary folders lie, and what may run side by side.

`make test` runs two processes. A module stays in one of them, so that what its tests share is made once; everything
that needs Label Studio stays in one, too, so that only one is started.
"""

from __future__ import annotations

import pytest

from tests import memory

pytest_plugins = ["tests.browser", "tests.databases", "tests.services"]

SERVERS = {"services", "house"}  # fixtures that start Label Studio


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary folders in memory unless --basetemp names a place."""
    if config.option.basetemp is None:
        memory.use()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say to pytest-xdist what belongs together."""
    for item in items:
        module = item.nodeid.partition("::")[0]
        servers = SERVERS & set(getattr(item, "fixturenames", ())) and item.get_closest_marker("services")
        item.add_marker(pytest.mark.xdist_group("servers" if servers else module))
