"""`attune doctor`: what is well, what is not, and what to do."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from labeler import doctor
from labeler.cli.shell import Shell, table
from labeler.cli.shell import command as attune_command

BROKEN = 1


@attune_command(click.Group("attune"), "doctor")
def command(shell: Shell) -> None:
    """Check every part; the exit code is 1 where something is broken."""
    found = []
    with shell.progress("checking") as report:
        for number, finding in enumerate(doctor.examine(shell.settings), start=1):
            found.append(finding)
            report(number, len(doctor.CHECKS))
    rows = [(item.state, item.name, item.found, item.todo) for item in found]
    broken = [item.name for item in found if item.state == "fail"]
    value = {"ok": not broken, "checks": [asdict(item) for item in found]}
    shell.result(value, table(("", "part", "found", "what to do"), rows))
    if broken:
        sys.exit(BROKEN)
