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
from attune.models.engines.table_errors import Work, checked, guarded
from attune.models.errors import AttuneError, SettingsError, UnreadableItem, WeightsUnavailable


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
    for name in ("RAY_ADDRESS", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    place = ray_start.place()
    try:
        folder = Path(place["_temp_dir"])
        assert folder.stat().st_mode & 0o077 == 0
        assert (place["address"], place["_node_ip_address"]) == ("local", "127.0.0.1")
        assert len(os.environ["RAY_AUTH_TOKEN"]) >= 32
        assert os.environ["RAY_AUTH_MODE"] == "token"
    finally:
        ray_start.remove_folders()
        for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_MODE"):
            monkeypatch.delenv(name, raising=False)
    assert not folder.exists()
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert ray_start.place() == {}, "a cluster's own token and network hold"
