"""The audit of what is installed fails for a known weakness, and never calls silence a good answer."""

from __future__ import annotations

import json
import subprocess
import tomllib
from datetime import date
from typing import Any

import pytest

from tests.project import audit, locks

TODAY = date(2026, 11, 27)
CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
# The shape of pip-audit 2.10's report.
WEAK = {
    "name": "jinja2",
    "version": "3.1.4",
    "vulns": [{"id": "PYSEC-2025-1", "fix_versions": ["3.1.6"], "aliases": ["CVE-2025-27516"], "description": "…"}],
}
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.15.0)"}


def verdict(*packages: dict[str, Any], accepted: list[dict[str, Any]] | None = None) -> audit.Verdict:
    """Of a report with these packages."""
    report = json.dumps({"dependencies": packages, "fixes": []})
    return audit.judge("Attune", audit.read(report), accepted or [], TODAY)


def told(verdict: audit.Verdict) -> str:
    return "\n".join(verdict.lines)


def test_a_known_weakness_fails_and_says_what_mends_it() -> None:
    found = verdict(CLEAN, WEAK)
    assert found.code == 1
    assert "WEAK: jinja2 3.1.4: PYSEC-2025-1 = CVE-2025-27516; mended in 3.1.6." in told(found)
    assert "make lock UPGRADE=" in told(found)


@pytest.mark.parametrize(
    "report", ["", "no network", "[]", '{"dependencies": []}', json.dumps({"dependencies": [UNKNOWN]})]
)
def test_nothing_looked_up_is_said_aloud_and_is_no_good_answer(report: str) -> None:
    found = audit.judge("Attune", audit.read(report), [], TODAY)
    assert found.code == 0, "a network that is down is no weakness"
    assert found.lines[0].startswith("NOT CHECKED")
    assert "0 known" not in told(found)


@pytest.mark.parametrize(("said", "is_network"), [("error: no such option: --format", False), ("ConnectTimeout", True)])
def test_an_audit_that_broke_is_no_network_that_is_down(
    monkeypatch: pytest.MonkeyPatch, said: str, is_network: bool
) -> None:
    broken = subprocess.CompletedProcess([], 1, stdout="", stderr=said)
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: broken)
    if is_network:
        assert audit.ask((audit.LABEL_STUDIO,)) == ""
    else:
        with pytest.raises(SystemExit, match="no such option"):
            audit.ask((audit.LABEL_STUDIO,))


def test_a_package_that_nobody_knows_is_named() -> None:
    assert "1 packages looked up, 0 known weaknesses; nothing is known of torch." in told(verdict(CLEAN, UNKNOWN))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, 0),
        ({"id": "PYSEC-2025-1"}, 0),
        ({"until": TODAY}, 1),  # somebody looks again on that day
        ({"package": "flask"}, 1),
        ({"id": "CVE-2025-1"}, 1),
    ],
)
def test_what_is_accepted_passes_until_its_date_for_its_package_alone(changed: dict[str, Any], code: int) -> None:
    entry = {
        "id": "CVE-2025-27516",
        "package": "jinja2",
        "until": date(2026, 12, 1),
        "reason": "No template is theirs.",
    }
    assert verdict(WEAK, accepted=[entry | changed]).code == code


def test_what_is_accepted_has_a_reason_and_a_date_and_is_installed() -> None:
    installed = locks.versions("".join(path.read_text() for lot in audit.ENVIRONMENTS.values() for path in lot))
    for entry in tomllib.loads(audit.ACCEPTED.read_text()).get("accepted", []):
        assert entry.keys() == {"id", "package", "until", "reason"}
        assert isinstance(entry["until"], date)
        assert len(entry["reason"]) > 20
        assert entry["package"] in installed, f"{entry['package']} is installed no more: its line may go"


def test_ci_runs_the_audit() -> None:
    assert "make audit\n" in (locks.ROOT / ".ci" / "run").read_text()
