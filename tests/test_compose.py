"""docker-compose.yml says what the code reads: variables, commands, ports, addresses, versions."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from labeler import settings as reader
from labeler.label_studio import local
from labeler.label_studio.install import CONSTRAINTS, VERSION
from labeler.settings import Settings
from workers.main import main as worker

ROOT = Path(__file__).resolve().parents[1]
GIVEN = {
    "POSTGRES_PASSWORD": "a-long-word",
    "ATTUNE_LABEL_STUDIO_TOKEN": "f" * 40,
    "LABEL_STUDIO_PASSWORD": "another-word",
}
OURS = ("web", "learner", "workers", "schedule")


def filled(value: Any) -> Any:
    """Compose's own substitution: ${NAME:-default} and ${NAME:?message}."""
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", _one, value)
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
        aliases = service.get("networks", {}).get("default", {}).get("aliases", [])
        found |= dict.fromkeys(aliases, name)
    return found


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
    for service, public in (("web", settings.web_address), ("label-studio", settings.label_studio_browser_address)):
        port = ports[service]
        assert services[service]["ports"] == [f"{port}:{port}"]
        assert urlsplit(public).port == port
    assert settings.host == "0.0.0.0"
    assert (ROOT / "Dockerfile").read_text().count(f'"--port", "{settings.label_studio_port}"') == 1


def test_label_studio_accepts_the_host_of_the_webhook(settings: Settings) -> None:
    assert "." in (urlsplit(settings.webhook_address).hostname or "")


def test_label_studio_starts_as_our_own_does(services: dict[str, Any], settings: Settings, tmp_path: Path) -> None:
    environment = services["label-studio"]["environment"]
    ours = local.environment(reader.build({}, workspace=tmp_path))
    ours = {name: value for name, value in ours.items() if name in environment}
    assert len(ours) >= 12
    same = set(ours) - {"LABEL_STUDIO_BASE_DATA_DIR", "LABEL_STUDIO_PASSWORD", "LABEL_STUDIO_USER_TOKEN"}
    assert {name: environment[name] for name in same} == {name: ours[name] for name in same}
    assert environment["LABEL_STUDIO_USER_TOKEN"] == settings.label_studio_token
    assert environment["POSTGRE_NAME"] in (ROOT / "docker" / "label-studio-database.sql").read_text()
    mounted = {volume.split(":")[1] for volume in services["label-studio"]["volumes"]}
    assert environment["LABEL_STUDIO_BASE_DATA_DIR"] in mounted


def test_every_version_is_pinned_and_the_same_everywhere(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert re.search(r":\d+\.\d+\.?\d*(-\w+)?$", service["image"]), f"{name} is not pinned"
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"ARG LABEL_STUDIO={VERSION}" in dockerfile
    assert services["label-studio"]["image"].endswith(VERSION)
    assert f"label-studio=={VERSION}" in CONSTRAINTS.read_text().split()
    assert str(CONSTRAINTS.relative_to(ROOT)) in dockerfile
    assert {services[name]["build"]["target"] for name in OURS} == {"attune"}
    for stage in ("attune", "label-studio"):
        assert f" AS {stage}\n" in dockerfile


def test_every_command_is_one_that_exists(services: dict[str, Any]) -> None:
    for name in OURS:
        command = services[name]["command"]
        assert command[:2] == ["python", "-m"]
        assert importlib.util.find_spec(command[2]) is not None, f"{name} runs {command[2]}, which is nowhere"
    with pytest.raises(SystemExit) as ended:
        worker([*services["learner"]["command"][3:], "--help"])
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
