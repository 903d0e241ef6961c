"""Empty virtual environments with the named packages alone, as a pipeline has one: nothing of Attune is in them.

Made with ``python -m venv`` and pip in the versions of the locks, and kept under ~/.cache/attune/environments, so
that a second run is quick. Where pip reaches no index the tests that ask for one are skipped, which
ATTUNE_REQUIRE_INDEX=1 turns into a failure.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.project import locks

PINS = locks.versions(locks.read(locks.OURS) + locks.read(locks.TESTS))
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "attune" / "environments"
MADE = "made"  # written last: an environment without it was broken off


def python_with(*packages: str) -> Path:
    """The python of an environment that holds ``packages`` and what they need, and nothing else."""
    wanted = sorted(_pinned(name) for name in packages)
    key = hashlib.sha256(" ".join([*wanted, sys.version]).encode()).hexdigest()[:16]
    folder = CACHE / f"{re.split(r'[=[]', wanted[0])[0]}-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / MADE).is_file():
            _make(folder, wanted)
    return folder / "bin" / "python"


def run(python: Path, code: str, folder: Path, **environment: str) -> str:
    """What ``code`` prints, run in ``folder`` with neither this repository nor its settings in sight."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [python, "-I", "-W", "error::DeprecationWarning:__main__", "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env=inherited | environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _pinned(package: str) -> str:
    name = package.partition("[")[0]
    return f"{package}=={PINS[name]}" if name in PINS else package


def _make(folder: Path, wanted: list[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        reason = f"pip could not install {' '.join(wanted)} into an empty environment: {done.stderr.strip()[-300:]}"
        if os.environ.get("ATTUNE_REQUIRE_INDEX") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    (folder / MADE).touch()
