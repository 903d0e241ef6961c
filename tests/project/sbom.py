"""Write a bill of materials: everything that is installed, as CycloneDX JSON. `make sbom` and CI call it.

    python -m tests.project.sbom [FILE]

cyclonedx-py reads the environment itself, so the list is of what is there and not of what was asked for. Ends with 1
where a package that a lock pins for this computer is not in it, or with another version.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from tests.project.locks import OURS, ROOT, TESTS, entries, versions

DEFAULT = ROOT / "sbom.json"


def write(path: Path) -> None:
    """Write the bill of this environment to ``path``; twice the same but for its number and time."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(ROOT / "pyproject.toml")]
    command += ["--output-format", "JSON", "--spec-version", "1.6", "--output-file", str(path), sys.executable]
    subprocess.run(command, check=True)


def listed(text: str) -> dict[str, str]:
    """Package -> version, of a bill."""
    return {canonicalize_name(one["name"]): one["version"] for one in json.loads(text)["components"]}


def pinned_here(lock: str) -> dict[str, str]:
    """Package -> version of what a lock pins for this computer and this Python."""
    found = versions(lock)
    for name, lines in entries(lock).items():
        _, semicolon, condition = lines.splitlines()[0].rstrip(" \\").partition(";")
        if semicolon and not Marker(condition.strip()).evaluate():
            del found[name]
    return found


def missing(pinned: Mapping[str, str], bill: Mapping[str, str]) -> list[str]:
    """What the bill lacks, a line each."""
    return [f"{name} {version}" for name, version in pinned.items() if bill.get(canonicalize_name(name)) != version]


def main() -> int:
    """Write it, and compare it with the locks."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    write(path)
    bill = listed(path.read_text())
    lacking = missing(pinned_here(OURS.read_text() + TESTS.read_text()), bill)
    print(f"{path}: {len(bill)} packages")
    for line in lacking:
        print(f"pinned, but not in the bill of materials: {line}")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
