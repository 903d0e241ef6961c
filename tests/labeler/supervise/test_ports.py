"""Ports are free when they are said to be."""

from __future__ import annotations

from pathlib import Path

from labeler.settings import build
from labeler.supervise import free_ports
from labeler.supervise.ports import RANGE


def test_free_ports_are_three_different_ones(tmp_path: Path) -> None:
    settings = free_ports(build({}, workspace=tmp_path))
    ports = {settings.web_port, settings.label_studio_port, settings.redis_port}
    assert len(ports) == 3
    assert all(port in RANGE for port in ports)
