"""Ask whether a version of the locks has a known weakness. `make audit` and CI call it.

Ends with 1 where one has, unless `.ci/accepted-weaknesses.toml` lists it with a reason and a date that has not passed.
Where the service that knows them cannot be reached it says so loudly and ends with 0: a network that is down is no
weakness. pip-audit itself says "No known vulnerabilities found" then, of packages that nobody looked up.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attune.labeler.label_studio.environment_folder import LOCK as LABEL_STUDIO
from attune.models.clock import now
from tests.project.locks import OURS, ROOT, TESTS

ACCEPTED = ROOT / ".ci" / "accepted-weaknesses.toml"
LONGEST_SECONDS = 600
NO_NETWORK = re.compile(r"connect|timed out|timeout|resolve|network|proxy|SSL", re.IGNORECASE)
ENVIRONMENTS = {"Attune": (OURS, TESTS), "Label Studio": (LABEL_STUDIO,)}  # each is installed by itself


@dataclass
class Found:
    """What is known of one environment's packages."""

    looked_up: int = 0
    unknown: list[str] = field(default_factory=list)  # packages that the service says nothing of
    weak: list[dict[str, Any]] = field(default_factory=list)  # package, version, ids, fixed_in


@dataclass(frozen=True)
class Verdict:
    """What to print, and the exit code."""

    lines: list[str]
    code: int


def read(report: str) -> Found:
    """What pip-audit's JSON says; nothing looked up where it is none, as where there is no network."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Found()
    found = Found()
    for package in packages:
        if "vulns" not in package:
            found.unknown.append(package["name"])
            continue
        found.looked_up += 1
        for weakness in package["vulns"]:
            ids = [weakness["id"], *weakness.get("aliases", [])]
            told = {"package": package["name"], "version": package["version"], "ids": ids}
            found.weak.append(told | {"fixed_in": weakness.get("fix_versions", [])})
    return found


def judge(name: str, found: Found, accepted: list[dict[str, Any]], today: date) -> Verdict:
    """One environment's verdict."""
    if not found.looked_up:
        return Verdict([f"NOT CHECKED: {name}. The service that knows weaknesses was not reached, or knew nothing."], 0)
    lines, code = [], 0
    for weak in found.weak:
        match = [one for one in accepted if one["package"] == weak["package"] and one["id"] in weak["ids"]]
        what = f"{weak['package']} {weak['version']}: {' = '.join(weak['ids'])}"
        if match and today < match[0]["until"]:
            lines.append(f"accepted until {match[0]['until']}: {what}. {match[0]['reason']}")
            continue
        code = 1
        better = f"mended in {', '.join(weak['fixed_in'])}" if weak["fixed_in"] else "no version mends it yet"
        again = f" It was accepted until {match[0]['until']}: look again." if match else ""
        lines.append(f"WEAK: {what}; {better}.{again}")
    if code:
        lines.append(
            "Raise what is named: make lock UPGRADE='NAME ...', make test; or list it, with a reason and a date, in "
            f"{ACCEPTED.relative_to(ROOT)}."
        )
    unknown = f"; nothing is known of {', '.join(found.unknown)}" if found.unknown else ""
    lines.append(f"{name}: {found.looked_up} packages looked up, {len(found.weak)} known weaknesses{unknown}.")
    return Verdict(lines, code)


def ask(locks: tuple[Path, ...]) -> str:
    """pip-audit's report of ``locks`` as JSON, empty where no network gave one.

    Raises SystemExit where pip-audit is not installed, or does not take what we ask: that would be silent for ever.
    """
    named = [word for lock in locks for word in ("--requirement", str(lock))]
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    command = [sys.executable, "-m", "pip_audit", *named, *options]
    if find_spec("pip_audit") is None:
        raise SystemExit("pip-audit is not installed here. Run `make install`, then `make audit` again.")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return ""
    if not done.stdout.lstrip().startswith("{") and not NO_NETWORK.search(done.stderr):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SystemExit(f"pip-audit could not read the locks: {last[:300]}. Mend tests/project/audit.py or the lock.")
    return done.stdout


def main() -> int:
    """Every environment; the exit code."""
    accepted = tomllib.loads(ACCEPTED.read_text()).get("accepted", [])
    verdicts = [judge(name, read(ask(locks)), accepted, now().date()) for name, locks in ENVIRONMENTS.items()]
    print("\n".join(line for verdict in verdicts for line in verdict.lines))
    return max(verdict.code for verdict in verdicts)


if __name__ == "__main__":
    sys.exit(main())
