"""Ports are free when they are said to be, and stay so until their part listens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from attune.labeler.services import free_ports, reserved_ports
from attune.labeler.services.ports import candidates
from attune.labeler.services.reserved_ports import reserve
from attune.labeler.settings import build

NEIGHBOUR = """
import sys
from attune.labeler.services.reserved_ports import reserve
print(reserve(int(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def test_free_ports_are_three_different_ones(tmp_path: Path) -> None:
    settings = free_ports(build({}, workspace=tmp_path))
    ports = {settings.web_port, settings.label_studio_port, settings.redis_port}
    assert len(ports) == 3
    assert all(port in candidates() for port in ports)


def test_a_port_is_promised_to_one_process_and_free_again_when_that_ends() -> None:
    """Two stacks that start together once chose the same port, and the later one gave up."""
    port = "1"  # a port that nobody is ever given
    with _neighbour(port) as first, _neighbour(port) as second:
        assert first.stdout is not None
        assert second.stdout is not None
        told = {first.stdout.readline(), second.stdout.readline()}
        assert told == {"True\n", "False\n"}
        first.communicate()
        second.communicate()
    with _neighbour(port) as later:
        assert later.communicate()[0] == "True\n"


def _neighbour(port: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", NEIGHBOUR, port]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_stacks_that_keep_their_ports_are_not_given_the_same_ones(tmp_path: Path) -> None:
    wanted = free_ports(build({}, workspace=tmp_path))  # reserved by this process
    asked = {name: getattr(wanted, name) for name in ("web_port", "label_studio_port", "redis_port")}
    code = (
        "import sys; from pathlib import Path; from attune.labeler.settings import build; "
        "from attune.labeler.services import free_ports; "
        f"made = free_ports(build({{}}, workspace=Path(sys.argv[1]), **{asked!r}), keep=True); "
        "print(made.web_port, made.label_studio_port, made.redis_port)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert not {int(word) for word in done.stdout.split()} & set(asked.values())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reserved_ports, "_ours", set())
        assert free_ports(wanted, keep=True) == wanted, "free ones are kept"


def test_a_process_is_not_promised_a_port_twice() -> None:
    assert [reserve(3), reserve(3)] == [True, False]


@pytest.mark.parametrize(
    ("outgoing", "expected"),
    [
        ("32768\t60999\n", range(20_000, 32_000)),
        ("1024\t19999\n", range(20_000, 32_000)),
        ("16000\t65535\n", range(10_000, 16_000)),
        ("1024\t30000\n", range(30_001, 65_536)),
        ("1024\t65535\n", range(20_000, 32_000)),
        ("none", range(20_000, 32_000)),
    ],
)
def test_free_ports_are_none_that_outgoing_connections_are_given(
    outgoing: str, expected: range, tmp_path: Path
) -> None:
    path = tmp_path / "ip_local_port_range"
    path.write_text(outgoing)
    assert candidates(path) == expected
    assert candidates(tmp_path / "absent") == range(20_000, 32_000)
