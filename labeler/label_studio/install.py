"""Label Studio's own environment: its pins clash with ours, so it lives apart and is made on first use.

``python -m attune.labeler.label_studio.install`` makes it ahead of time. Workspaces share one under the cache folder.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from attune.labeler.label_studio import database_template
from attune.labeler.label_studio.environment_folder import LOCK, VERSION, executable, folder
from attune.labeler.services import entry_point
from attune.labeler.settings import Settings
from attune.models.errors import ServiceDown, SettingsError
from attune.models.files.atomic import digest_file, write_bytes

BUILDERS = ("setuptools", "wheel")  # some of its packages come as source alone, and are built with these
MARK = "attune-installed"
Tell = Callable[[str], None]


def ensure(settings: Settings, report: Tell = print) -> Path:
    """The label-studio command, installed first where it is missing; several processes may ask at once.

    Raises SettingsError where ATTUNE_LABEL_STUDIO_ENV is a folder with something else in it, ServiceDown with the end
    of pip's words where the installation fails. A half-made environment of ours is made again.
    """
    home = folder(settings)
    command = executable(settings)
    home.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(home.with_name(home.name + ".lock")):
        if _complete(settings, home):
            return command
        if settings.label_studio_env is not None and home.exists() and any(home.iterdir()):
            raise SettingsError(
                f"ATTUNE_LABEL_STUDIO_ENV is {home}, which has no bin/label-studio. Set it to an environment "
                "that has one, or to an empty or new folder. Or unset it."
            )
        report(f"Installing Label Studio {VERSION} into {home} (about 1 GB; a few minutes, only once) …")
        shutil.rmtree(home, ignore_errors=True)
        _install(home)
        write_bytes(home / MARK, digest_file(LOCK).encode())
        report(f"Label Studio {VERSION} is installed.")
    return command


def _complete(settings: Settings, home: Path) -> bool:
    if settings.label_studio_env is not None:
        return executable(settings).exists() and not (home / "installing").exists()
    mark = home / MARK
    return mark.exists() and mark.read_text() == digest_file(LOCK)


def _install(home: Path) -> None:
    log = home.with_name(home.name + ".log")
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    only_the_lock = [*pip, "--require-hashes", "--no-deps", "--no-build-isolation", "--requirement"]
    builders = home / "builders.lock"
    steps = (
        [sys.executable, "-m", "venv", str(home)],
        [*only_the_lock, str(builders)],
        [*only_the_lock, str(LOCK)],
    )
    home.mkdir(parents=True)
    builders.write_text("".join(_lines_of(name) for name in BUILDERS))
    begun = home / "installing"
    with log.open("wb") as output:
        for step in steps:
            begun.touch()
            if subprocess.run(step, stdout=output, stderr=subprocess.STDOUT, check=False).returncode != 0:
                raise ServiceDown(
                    f"Label Studio {VERSION} could not be installed: {_last_words(log)} Details: {log}. Check "
                    "the network and the disk. Or set ATTUNE_LABEL_STUDIO_ENV to an environment that has it, "
                    "or ATTUNE_LABEL_STUDIO_URL to a running one."
                )
    begun.unlink()


def _lines_of(package: str) -> str:
    """The lines of one package in the lock: its version and its digests."""
    found = re.search(rf"^{package}==.*(?:\n    .*)*\n", LOCK.read_text(), re.MULTILINE)
    return found.group(0) if found else ""


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("ERROR")]
    return " ".join(lines[-2:]) or "pip gave no reason."


def main() -> int:
    """Make the environment and the empty database ahead of the first start; the exit code."""
    entry_point.parser("attune.labeler.label_studio.install", __doc__).parse_args()

    def work(settings: Settings) -> None:
        ensure(settings)
        database_template.ensure(settings, print)

    return entry_point.run(work)


if __name__ == "__main__":
    sys.exit(main())
