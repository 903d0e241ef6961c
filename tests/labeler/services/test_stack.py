"""`attune up` with its real parts: started, refused, killed, and started again on the same data."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests
from click.testing import CliRunner, Result
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from attune.labeler.cli.main import attune
from attune.labeler.jobs import jobs
from attune.labeler.label_studio import LabelStudio, database_template, local
from attune.labeler.services import Stack, doctor, free_ports, orphans
from attune.labeler.services.parts import our_environment
from attune.labeler.settings import Settings, build, close_workspace, secrets
from attune.labeler.settings.secrets import redis_address
from attune.models.errors import JobLost, ServiceDown, ServiceError
from tests.support.services import Services

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def light(live: Settings) -> Settings:
    """A stack of our own Redis, web app and workers on the session's Label Studio."""
    return free_ports(replace(live, redis_url=None))


@pytest.fixture
def lighter(light: Settings) -> Settings:
    """The same with one worker: each loads all of its jobs, which takes seconds."""
    return replace(light, workers=1)


@pytest.fixture
def own(services: Services, lighter: Settings) -> Settings:
    """The same with a Label Studio of its own on old data: lost secrets, another token, legacy tokens forbidden, and an
    administrator without rights, as one who was made by hand.
    """
    own = replace(lighter, label_studio_url=None, label_studio_token=None)
    folder = local.data_folder(own)
    folder.mkdir(parents=True)
    old = local.data_folder(services.settings) / database_template.DATABASE
    with closing(sqlite3.connect(old)) as running, closing(sqlite3.connect(folder / old.name)) as kept:
        running.backup(kept)
        assert kept.execute("UPDATE htx_user SET is_superuser = 0").rowcount
        assert kept.execute("UPDATE jwt_auth_jwtsettings SET legacy_api_tokens_enabled = 0").rowcount
        kept.commit()
    return own


def cli(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "attune.labeler.cli.main", *words]
    return subprocess.run(
        command, env=our_environment(settings), capture_output=True, text=True, timeout=120, check=False
    )


def doctor_says(settings: Settings) -> Result:
    """`attune doctor --json` in this process, which has loaded it."""
    return CliRunner().invoke(attune, ["doctor", "--json"], env=our_environment(settings))


def pids(settings: Settings) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if orphans._is_ours(process, settings.workspace)]


def until(true: object) -> None:
    for _ in range(600):
        if callable(true) and true():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come true within 60 s")


def test_a_stack_is_ready_on_old_data_outlives_its_parts_and_itself_and_leaves_nothing(
    own: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One start for all that a running stack can show, and one after it was killed: each takes ten seconds."""
    said = list[str]()
    first = Stack(own, said.append)
    first.start()
    request.addfinalizer(first.stop)
    first.ready()
    ready = [line.partition(" ready ")[0].strip() for line in said if " ready " in line]
    assert ready == ["redis", "label studio", "token", "web app", "workers"]
    assert LabelStudio.connect(own).me()["email"] == own.label_studio_email, "the administrator gets in all the same"
    assert list(close_workspace.still_open(own.workspace)) == [], "of Redis and Label Studio too"
    assert requests.get(f"{own.web_address}/readyz", timeout=5).ok
    assert Redis.from_url(redis_address(own)).config_get("appendonly") == {"appendonly": "yes"}
    # Another command, given nothing but the workspace, finds the parts.
    assert build({}, workspace=str(own.workspace)).web_port == own.web_port
    nobody_else_gets_in(own)
    a_second_one_is_refused(own)
    the_doctor_finds_it_well(own)
    the_doctor_finds_what_is_wrong(own)
    jobs_survive_the_death_of_workers_and_of_redis(own)
    killed_with_9_it_starts_again_on_the_same_data_and_ctrl_c_says_what_it_stops(own, first, tmp_path / "said")
    assert pids(own) == []
    with pytest.raises(RedisError):
        Redis.from_url(redis_address(own)).ping()
    assert doctor_says(own).exit_code == 1


def nobody_else_gets_in(settings: Settings) -> None:
    """Redis wants its password, which stands in no command line."""
    with pytest.raises(AuthenticationError):
        Redis.from_url(settings.redis_address).ping()
    password = secrets.load(settings.secrets).redis_password
    assert all(password not in " ".join(process.cmdline()) for process in pids(settings))
    assert stat.S_IMODE((settings.workspace / "redis" / "redis.conf").stat().st_mode) == 0o600


def a_second_one_is_refused(settings: Settings) -> None:
    second = cli(settings, "up")
    assert second.returncode == 11
    assert f"already runs on {settings.workspace}. Its console is {settings.web_address}" in second.stderr
    stack = Stack(free_ports(settings))
    with pytest.raises(ServiceError, match=settings.web_address) as refused:
        stack.start()
    assert "label studio" not in str(refused.value), "what the first one said is none of the second one's words"


def the_doctor_finds_it_well(settings: Settings) -> None:
    done = doctor_says(settings)
    told = json.loads(done.stdout)
    states = {check["name"]: check["state"] for check in told["checks"]}
    assert {states.pop(name) for name in ("encoder", "workspace")} <= {"ok", "warn"}
    assert set(states.values()) == {"ok"}, told
    assert told["ok"]
    assert done.exit_code == 0


def the_doctor_finds_what_is_wrong(settings: Settings) -> None:
    elsewhere = settings.label_studio_address
    wrong = replace(settings, label_studio_url=elsewhere, label_studio_token="f" * 40, webhook_url=elsewhere)
    found = {finding.name: finding for finding in doctor.examine(wrong)}
    assert found["token"].state == "fail"
    assert "ATTUNE_LABEL_STUDIO_TOKEN" in found["token"].found
    assert found["webhooks"].state == "warn"
    assert "ATTUNE_WEBHOOK_URL" in found["webhooks"].todo


def jobs_survive_the_death_of_workers_and_of_redis(settings: Settings) -> None:
    for name in ("attune.workers.runtime.worker", "redis-server"):
        victims = [process for process in pids(settings) if name in " ".join(process.cmdline())]
        assert victims
        for process in victims:
            process.kill()
        until(lambda: _done_a_sync(settings))


def _done_a_sync(settings: Settings) -> bool:
    try:
        job = jobs.enqueue(settings, "sync")
        jobs.follow(settings, job)
    except (ServiceDown, RedisError, JobLost):  # the parts are not all up again
        return False
    return True


def killed_with_9_it_starts_again_on_the_same_data_and_ctrl_c_says_what_it_stops(
    settings: Settings, first: Stack, log: Path
) -> None:
    redis = Redis.from_url(redis_address(settings))
    redis.config_set("appendfsync", "always")
    redis.set("kept", "yes")
    killed = [one for one in pids(settings) if "attune.workers.runtime.schedule" not in one.cmdline()]
    for process in [*killed, psutil.Process(first.pid)]:
        with suppress(psutil.NoSuchProcess):  # it went with its supervisor
            process.kill()
    until(lambda: pids(settings) == [])  # what is left goes with its supervisor
    with log.open("w") as said:
        # A shell's background job ignores SIGINT; a terminal's does not.
        command = [sys.executable, "-m", "attune.labeler.cli.main", "up"]
        up = subprocess.Popen(command, env=our_environment(settings), stdout=said, stderr=said, start_new_session=True)
    until(lambda: "Attune is ready" in log.read_text() or up.poll() is not None)
    assert Redis.from_url(redis_address(settings)).get("kept") == b"yes"
    # The dead workers of before do not count as alive.
    assert len(jobs.Worker.all(connection=jobs.connect(settings))) == settings.workers + 1, "and the one of access"
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0
    *_, stopping, stopped = log.read_text().splitlines()
    assert stopping == (
        "Stopping Redis, Label Studio, the console, the worker that ends access, worker 1, the scheduler …"
    )
    assert stopped == f"Stopped. Everything is kept in {settings.workspace}. The next start continues from there."


def test_a_busy_port_is_named_with_its_part_and_setting(light: Settings) -> None:
    with socket.create_server((light.host, 0)) as busy:
        port = busy.getsockname()[1]
        done = cli(replace(light, web_port=port), "up")
    assert done.returncode == 11
    assert f"Port {port} of 127.0.0.1 is unavailable" in done.stderr
    assert "ATTUNE_WEB_PORT" in done.stderr
    assert "attune up --free-ports" in done.stderr, "the likeliest one that listens there is the demo"


def test_a_wrong_token_of_a_label_studio_elsewhere_stops_the_start_at_once(lighter: Settings) -> None:
    stack = Stack(replace(lighter, label_studio_token="f" * 40))
    stack.start()
    with pytest.raises(ServiceDown, match="ATTUNE_LABEL_STUDIO_TOKEN"):
        stack.ready()
    stack.stop()
    assert pids(lighter) == []
