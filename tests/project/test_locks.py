"""What is installed is what a lock lists, file by file; the locks say what pyproject.toml asks for."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from attune.labeler import settings as reader
from attune.labeler.label_studio import environment_folder, install
from tests.project import locks

ROOT = Path(__file__).resolve().parents[2]
ALL = (locks.OURS, locks.TESTS, environment_folder.LOCK)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
STRICT = ("--require-hashes", "--no-deps", "--no-build-isolation")


@pytest.mark.parametrize("lock", ALL, ids=lambda path: path.name)
def test_every_package_is_pinned_with_the_digests_of_its_files(lock: Path) -> None:
    text = lock.read_text()
    found = locks.entries(text)
    assert len(found) > 50
    for name, lines in found.items():
        assert re.search(r"\n    --hash=sha256:[0-9a-f]{64}( \\)?$", lines, re.MULTILINE), f"{name} has no digest"
        assert len(re.findall(r"--hash=", lines)) == lines.count("\n")
    rest = [line for line in text.splitlines() if line and not line.startswith(("#", "    --hash="))]
    assert len(rest) == len(found) == len(locks.versions(text)), "something else would be installed as well"
    assert "//" not in text, "where a file comes from is for each machine's own settings to say"


def test_no_version_is_named_twice() -> None:
    assert not locks.versions(locks.OURS.read_text()).keys() & locks.versions(locks.TESTS.read_text()).keys()


@pytest.mark.parametrize(
    ("extras", "chosen"), [([], ALL[:1]), (["server", "postgres", "remote"], ALL[:1]), (["test"], ALL[:2])]
)
def test_the_locks_have_a_version_that_fits_each_need(extras: list[str], chosen: tuple[Path, ...]) -> None:
    pinned = locks.versions("".join(path.read_text() for path in chosen))
    wanted = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    assert wanted
    for need in map(Requirement, wanted):
        if need.name != PROJECT["name"]:
            assert pinned[canonicalize_name(need.name)] in need.specifier, f"{need}: run `make lock`"


def test_make_install_takes_nothing_without_a_digest(tmp_path: Path) -> None:
    dry = subprocess.run(
        ["make", "-n", "install", f"VENV={tmp_path / 'none'}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    check_installs(re.findall(r"pip install ([^|&>]*)", dry), [path.name for path in ALL[:2]])


def test_the_images_take_nothing_without_a_digest() -> None:
    script = (ROOT / "docker" / "install_lock.sh").read_text()
    assert all(word in script for word in STRICT)
    dockerfile = (ROOT / "Dockerfile").read_text()
    locked = re.findall(r"RUN sh \S+/install_lock\.sh (\S+)", dockerfile)
    assert [Path(path).name for path in locked] == [environment_folder.LOCK.name, locks.OURS.name]
    check_installs(re.findall(r"pip install (.*)", dockerfile), [])


def check_installs(installs: list[str], wanted: list[str]) -> None:
    """Each either takes locks with digests, or our own folder and nothing that it needs."""
    taken: list[str] = []
    assert installs
    for words in map(str.split, installs):
        assert {"--no-deps", "--no-build-isolation"} <= set(words)
        if words[-1] != ".":
            assert "--require-hashes" in words
            taken += [Path(lock).name for flag, lock in pairwise(words) if flag == "-r"]
    assert [lock for lock in taken if lock != "builders.lock"] == wanted


def test_label_studio_is_installed_from_its_lock_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        steps.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    install.ensure(reader.build({}, workspace=tmp_path / "w", label_studio_env=tmp_path / "env"), lambda _: None)
    assert [step[1:3] for step in steps] == [["-m", "venv"], ["-m", "pip"], ["-m", "pip"]]
    for step in steps[1:]:
        assert set(STRICT) <= set(step)
    builders = Path(steps[1][-1])
    assert locks.versions(builders.read_text()).keys() == {"setuptools", "wheel"}
    assert all(lines in environment_folder.LOCK.read_text() for lines in locks.entries(builders.read_text()).values())
    assert Path(steps[2][-1]) == environment_folder.LOCK


def test_a_file_that_no_lock_lists_is_refused(tmp_path: Path) -> None:
    name = tmp_path / "harmless-1.0-py3-none-any.whl"
    made = (
        "import zipfile, sys\n"
        "with zipfile.ZipFile(sys.argv[1], 'w') as wheel:\n"
        "    info = 'harmless-1.0.dist-info/'\n"
        "    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: harmless\\nVersion: 1.0\\n')\n"
        "    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        "    wheel.writestr(info + 'RECORD', '')\n"
    )
    subprocess.run([sys.executable, "-c", made, str(name)], check=True)
    lock = tmp_path / "a.lock"
    lock.write_text(f"harmless==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    pip = [sys.executable, "-m", "pip", "--isolated", "install", *STRICT, "--no-index", "--find-links", str(tmp_path)]
    done = subprocess.run(
        [*pip, "--target", str(tmp_path / "to"), "-r", str(lock)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not list((tmp_path / "to").glob("harmless*"))
