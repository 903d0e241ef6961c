"""Ray itself, started once: tables come back in order, errors by their own words, and a real job's results are equal.

What Ray maps is tested without it where each function is: this test alone pays for a start.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from attune.labeler import settings as reader
from attune.labeler.measured.values import folder, values_of
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from attune.models.engines import ray_start
from attune.models.engines.ray_data import map_tables
from attune.models.engines.table_errors import Work
from attune.models.errors import DataError
from attune.workers.jobs import measure
from tests.support import factories

COUNT, BROKEN = 6, 2
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # what Ray itself deprecates is its own


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ray on this machine, ended with the test.

    Its parts write down their ports, and it gives up where one has not within 15 seconds. Those of a small Ray have no
    port, and write down -1: here that is there at once, as a machine with many tests may take longer.
    """
    for name in ("RAY_ADDRESS", "RAY_AUTH_TOKEN"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")  # read when Ray is imported, which here is before its start
    pytest.importorskip("ray", reason="the extra ray is not installed")
    from ray._private import services
    from ray._raylet import persist_port

    start = services.start_raylet

    def patient(*given: Any, **named: Any) -> Any:
        node, session = given[2], given[11]
        for part in ("dashboard_agent_listen_port", "metrics_agent_port", "metrics_export_port"):
            persist_port(session, node, part, -1)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        persist_port(session, node, "runtime_env_agent_port", port)
        return start(*given, **named | {"runtime_env_agent_port": port})

    monkeypatch.setattr(services, "start_raylet", patient)
    yield
    ray_start.stop()


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Settings]:
    """Six images, one of which has vanished since."""
    settings = reader.build({}, workspace=tmp_path, redis_url="redis://127.0.0.1:1/0")
    factories.newest(settings)
    assets = factories.add_assets(settings, COUNT, images=True)
    Path(assets[BROKEN].uri).unlink()
    yield settings
    engine(settings.records_url).dispose()


@pytest.mark.usefixtures("ray")
def test_ray_keeps_order_words_and_results(pool: Settings) -> None:
    def make() -> Work:
        def tenfold(table: pa.Table) -> pa.Table:
            numbers = table["n"].to_pylist()
            if 5 in numbers:
                raise DataError("five is refused")
            return pa.table({"n": [10 * number for number in numbers]})

        return tenfold

    answers = map_tables(make, [pa.table({"n": [number, number]}) for number in range(6)])
    assert [next(answers)["n"].to_pylist() for _ in range(5)] == [[10 * number] * 2 for number in range(5)]
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
