"""`attune doctor`: what is well, what is not, and what to do."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict

import click

from attune.labeler.cli.shell import Shell
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.cli.text_tables import terminal_width
from attune.labeler.services import doctor
from attune.labeler.services.finding import Finding

BROKEN = 1
MARGIN = 20  # columns before what was found


@attune_command(click.Group("attune"), "doctor", workspace="optional", example="attune doctor --workspace ./workspace")
def command(shell: Shell) -> None:
    """Check every service. The exit code is 1 if a check fails."""
    findings = []
    with shell.progress("checking") as report:
        for number, finding in enumerate(doctor.examine(shell.settings), start=1):
            findings.append(finding)
            report(number, len(doctor.CHECKS))
    broken = [item.name for item in findings if item.state == "fail"]
    shell.result({"ok": not broken, "checks": [asdict(item) for item in findings]}, format_findings(findings))
    if broken:
        sys.exit(BROKEN)


def format_findings(findings: Sequence[Finding]) -> str:
    """A line for each finding that says something, then what to do: the same advice once."""
    width = min(terminal_width(), 120)
    lines = [
        _wrapped(f"{finding.state:<5} {finding.name:<13} {finding.found}", width)
        for finding in findings
        if finding.state != "skip"
    ]
    if skipped := [finding.name for finding in findings if finding.state == "skip"]:
        lines.append(
            _wrapped(
                f"{'skip':<5} {'the rest':<13} {', '.join(skipped)}: not checked until the services above answer", width
            )
        )
    advice: dict[str, list[str]] = {}
    for finding in findings:
        if finding.todo:
            advice.setdefault(finding.todo, []).append(finding.name)
    if advice:
        lines += ["", "What to do"]
        lines += [_wrapped(f"- {todo} ({', '.join(names)})", width, 2) for todo, names in advice.items()]
    return "\n".join(lines)


def _wrapped(line: str, width: int, margin: int = MARGIN) -> str:
    return textwrap.fill(line, width, subsequent_indent=" " * margin, break_long_words=False, break_on_hyphens=False)
