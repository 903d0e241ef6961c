"""Ray itself, started once: tables come back in order, errors by their own words, and a real job's results are equal.

What Ray maps is tested without it where each function is: this test alone pays for a start.
"""

from __future__ import annotations

import gc
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

from attune.labeler.measured.values import folder, values_of
from attune.labeler.settings import Settings
from attune.models.engines import ray_start
from attune.models.engines.ray_data import map_tables
from attune.models.engines.table_errors import Work
from attune.models.errors import DataError, JobError
from attune.workers.jobs import measure
from tests.support import engines

COUNT, BROKEN = 6, 2
Address = tuple[str, int]
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # what Ray itself deprecates is its own


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[Address]]:
    """Ray as a command starts it, ended with the test; where this process listened before.

    What another program may have exported is there: it may not open Ray to others.
    """
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "known-to-all" * 4)
    for name in ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "RAY_enable_metrics_collection"):
        monkeypatch.setenv(name, "1")
    if find_spec("ray") is None:
        pytest.skip("the extra ray is not installed")
    before = listening()
    gave_up = ""
    try:
        ray_start.started()
    except JobError as error:
        ray_start.stop()
        if "timed out" not in str(error):
            raise
        gave_up = str(error)
    if gave_up:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # Ray forgets the programs that it has begun
            gc.collect()
        pytest.skip(f"this computer is too busy: Ray gave up before its parts had started ({gave_up})")
    yield before
    ray_start.stop()


def listening() -> set[Address]:
    """Where this process and all that came from it listen."""
    found: set[Address] = set()
    own = psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            open_ports = process.net_connections("inet")
            found |= {tuple(one.laddr) for one in open_ports if one.status == psutil.CONN_LISTEN}
    return found


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Settings]:
    """Six images, one of which has vanished since."""
    with engines.one_image_gone(tmp_path, COUNT, BROKEN) as settings:
        yield settings


def test_ray_keeps_order_words_and_results_and_is_closed(ray: set[Address], pool: Settings) -> None:
    def make() -> Work:
        def tenfold(table: pa.Table) -> pa.Table:
            numbers = table["n"].to_pylist()
            if 5 in numbers:
                raise DataError("five is refused")
            return pa.table({"n": [10 * number for number in numbers]})

        return tenfold

    answers = map_tables(make, [pa.table({"n": [number, number]}) for number in range(6)])
    assert [next(answers)["n"].to_pylist() for _ in range(5)] == [[10 * number] * 2 for number in range(5)]
    ports = listening() - ray
    with pytest.raises(DataError, match="five is refused"):
        next(answers)

    by_ray = measure.run(replace(pool, engine="ray"))
    values = values_of(pool).read().to_pandas()
    assert measure.run(replace(pool, engine="ray"))["measured"] == 0, "what is done is not done again"
    shutil.rmtree(folder(pool))
    assert measure.run(pool) == by_ray
    assert by_ray["measured"] == COUNT - 1
    assert [item["reason"] for item in by_ray["left_out"]] == ["missing"]
    assert values_of(pool).read().to_pandas().equals(values)

    ports |= listening() - ray
    assert len(ports) > 3, "Ray's parts listen"
    assert {address for address, _ in ports} <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert "known-to-all" not in os.environ["RAY_AUTH_TOKEN"]
