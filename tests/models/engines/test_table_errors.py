"""Errors of ours cross an engine by their own class and words, and a machine without Ray says what to install."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

from attune.labeler import settings as reader
from attune.labeler.cli.engine_option import on_engine
from attune.labeler.cli.main import attune
from attune.labeler.cli.shell import Shell
from attune.models.engines import ray_data, ray_start
from attune.models.engines.ray_data import Plan, Share, plan
from attune.models.engines.table_errors import Work, checked, guarded
from attune.models.errors import AttuneError, JobError, SettingsError, UnreadableItem, WeightsUnavailable


def refusing(error: AttuneError) -> Work:
    def work(table: pa.Table) -> pa.Table:
        raise error

    return work


def never(error: AttuneError) -> Work:
    raise error


@pytest.mark.parametrize("make", [refusing, never])
def test_an_error_of_ours_keeps_its_class_and_words(make: Callable[[AttuneError], Work]) -> None:
    for error in (UnreadableItem("x.jpg is no image", "no image"), WeightsUnavailable("no weights here")):
        answer = guarded(partial(make, error))(pa.table({"n": [1]}))
        with pytest.raises(type(error), match=str(error)):
            checked(answer)


def test_a_name_that_is_no_error_of_ours_is_never_called() -> None:
    table = pa.table({"attune.error": ["annotations"], "attune.message": ["?"]})
    with pytest.raises(AttuneError, match="\\?"):
        checked(table)


def test_ray_gets_a_few_tables_at_a_time_and_all_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [pa.table({"n": [number] * 100}) for number in range(10)]
    monkeypatch.setattr(ray_data, "WINDOW_BYTES", 3 * tables[0].nbytes)
    found = list(ray_data.windows(tables))
    assert [len(window) for window in found] == [3, 3, 3, 1]
    assert [table["n"][0].as_py() for window in found for table in window] == list(range(10))


def test_a_stop_of_ray_names_the_first_error_and_the_way_out() -> None:
    report = "ray::Map() (pid=1)\n  File x\nValueError: below zero\n\nray.exceptions.UserCodeException: UDF failed"
    told = str(ray_data.stopped(RuntimeError(report)))
    assert "ValueError: below zero." in told
    assert "`--engine workers`" in told
    assert "pid" not in told


def machines(*each: tuple[int, int, bool]) -> list[dict[str, object]]:
    """As Ray lists them: cores, cards, and whether they live."""
    return [{"Alive": alive, "Resources": {"CPU": float(cores), "GPU": float(cards)}} for cores, cards, alive in each]


@pytest.mark.parametrize(
    ("has", "share", "planned"),
    [
        ([(2, 0, True)] * 3, Share(4), Plan(Share(2), 3)),
        ([(8, 0, True), (2, 0, True), (64, 0, False)], Share(4), Plan(Share(4), 2)),
        ([(16, 0, True), (2, 1, True)], Share(4, card=True), Plan(Share(2, card=True), 1)),
        ([(8, 4, True)], Share(4, card=True), Plan(Share(4, card=True), 2)),
        ([(8, 4, True)], Share(1), Plan(Share(1), 8)),
        ([(8, 0, True)], Share(4, card=True), Plan(Share(4), 2)),
    ],
)
def test_each_process_fits_on_one_living_machine(has: list[tuple[int, int, bool]], share: Share, planned: Plan) -> None:
    assert plan(machines(*has), share) == planned


def test_a_cluster_without_a_core_is_an_error_and_no_endless_wait() -> None:
    with pytest.raises(JobError, match="no core on any of them"):
        plan(machines((0, 0, True), (8, 0, False)), Share())


def test_ray_on_a_network_is_ended() -> None:
    with pytest.raises(JobError, match=r"192\.0\.2\.2, which other computers reach"):
        ray_start.check_loopback([{"NodeManagerAddress": "192.0.2.2"}])


def test_without_ray_a_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(ray_start, "find_spec", lambda name: None if name == "ray" else found(name))
    command = ["embed", str(tmp_path), "--to", str(tmp_path / "x.parquet"), "--engine", "ray"]
    done = CliRunner().invoke(attune, command, env={"ATTUNE_WORKSPACE": str(tmp_path / "workspace")})
    said = done.output + str(done.exception)
    assert done.exit_code
    assert "extra 'ray'" in said
    assert "pip install '.[ray]'" in said
    assert "`--engine workers`" in said


def test_the_option_wins_over_the_setting(tmp_path: Path) -> None:
    by_setting = Shell(reader.build({"ATTUNE_ENGINE": "Ray"}, workspace=tmp_path), json=False)
    assert on_engine(by_setting, None).settings.engine == "ray"
    assert on_engine(by_setting, "workers").settings.engine == "workers"
    with pytest.raises(SettingsError, match="workers or ray"):
        reader.build({"ATTUNE_ENGINE": "spark"}, workspace=tmp_path)


def test_ray_on_one_computer_is_closed_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/tmp")
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    exported = {
        "RAY_AUTH_MODE": "disabled",
        "RAY_AUTH_TOKEN": "known-to-all" * 4,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",
        "RAY_enable_metrics_collection": "1",
    }
    for name, value in exported.items():
        monkeypatch.setenv(name, value)
    place = ray_start.place()
    try:
        folder = Path(place["_temp_dir"])
        assert folder.stat().st_mode & 0o077 == 0
        assert (place["address"], place["_node_ip_address"]) == ("local", "127.0.0.1")
        assert len(os.environ["RAY_AUTH_TOKEN"]) >= 32
        assert os.environ["RAY_AUTH_MODE"] == "token"
        assert not any(os.environ[name] == value for name, value in exported.items()), "what was exported opens nothing"
    finally:
        ray_start.remove_folders()
    assert not folder.exists()
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert ray_start.place() == {}, "a cluster's own token and network hold"
