"""`attune probes`: promote, roll back, retire, and the history of all that."""

from __future__ import annotations

from typing import Any

import click

from attune.labeler.catalog import alias_history as past
from attune.labeler.catalog import promote
from attune.labeler.catalog.alias_moves import Move, Moved
from attune.labeler.catalog.gate_outcomes import ABSENT, PASSED
from attune.labeler.cli.probe_group import alias_option, command, reason_option
from attune.labeler.cli.shell import Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.models.catalog.manifest import CHAMPION
from attune.models.errors import AttuneError


@attune_command(command, "promote", example='attune probes promote serious latest --reason "AP 0.91, seen with Mo"')
@click.argument("name")
@click.argument("version")
@reason_option
@alias_option
@click.option("--override", is_flag=True, help="Promote although an enforced gate failed.")
@click.option(
    "--draft",
    is_flag=True,
    help="Promote although a class has no answers. The version is marked as a draft for good.",
)
@click.option("--no-wait", is_flag=True, help="Do not wait until the pool is scored.")
def promote_(
    shell: Shell, name: str, version: str, reason: str, alias: str, override: bool, draft: bool, no_wait: bool
) -> None:
    """Publish VERSION of NAME (a number, or latest), point an alias at it, and score the pool."""
    moved = promote.promote(shell.settings, Move(name, version, reason, who(), alias, override, draft=draft))
    scores = _score(shell, moved, no_wait)
    shell.result(moved.to_dict() | {"scores": scores}, _told(moved))
    for gate in moved.gates:
        value = "unknown" if gate["value"] is None else f"{gate['value']:.3f}"
        if gate["outcome"] == ABSENT:
            shell.hint(f"Gate not applicable: {gate['name']} ({gate['reason']}).")
        elif gate["outcome"] != PASSED:
            why = f"; {gate['reason']}" if gate["reason"] else ""
            shell.hint(
                f"Promoted although the gate {gate['name']} is {value} (bound {gate['bound']:g}): "
                f"{gate['text']}{why}. "
                f"{'The gate was overridden' if gate.get('enforced') else 'The gate is not enforced'}."
            )
    if draft and not moved.draft:
        shell.hint("The version is not marked as a draft: every class has answers, or it was published before.")
    if moved.before is None:
        shell.hint(f"Undo: `attune probes retire {name} {moved.version} --reason R`")
    elif moved.before != moved.version:
        shell.hint(f"Undo: `attune probes rollback {name} --reason R{_aliased(alias)}`")


def _told(moved: Moved) -> str:
    draft = ", a draft" if moved.draft else ""
    told = f"{moved.attribute}@{moved.alias} is version {moved.version}{draft}"
    if moved.before == moved.version:
        return f"{told} already. Your reason is in the history; nothing else was changed."
    return f"{told}." if moved.before is None else f"{told} (was {moved.before})."


def _aliased(alias: str) -> str:
    return "" if alias == CHAMPION else f" --alias {alias}"


def _score(shell: Shell, moved: Moved, no_wait: bool) -> dict[str, Any]:
    """Score the pool; the promotion stands whatever comes of it."""
    try:
        with shell.progress(f"score {moved.attribute}@{moved.version}") as report:
            return jobs.ask(
                shell.settings, "score", report, wait=not no_wait, attribute=moved.attribute, version=moved.version
            )
    except AttuneError as error:
        shell.hint(f"Promoted, but the pool is not scored. {error}")
        return {"error": type(error).__name__, "message": str(error)}


@attune_command(command, "rollback", example='attune probes rollback serious --reason "too many false alarms"')
@click.argument("name")
@reason_option
@alias_option
def rollback(shell: Shell, name: str, reason: str, alias: str) -> None:
    """Roll back: point the champion of NAME at the version before."""
    moved = promote.rollback(shell.settings, Move(name, None, reason, who(), alias))
    _result(shell, moved, f"{moved.alias} is {moved.version} again")


@attune_command(
    command, "retire", example='attune probes retire serious 3 --reason "made before the definition changed"'
)
@click.argument("name")
@click.argument("version")
@reason_option
def retire(shell: Shell, name: str, version: str, reason: str) -> None:
    """Stop serving VERSION of NAME for good. Its files and feature values are kept."""
    moved = promote.retire(shell.settings, Move(name, version, reason, who()))
    _result(shell, moved, f"version {moved.version} is retired")


def _result(shell: Shell, moved: Moved, text: str) -> None:
    shell.result(moved.to_dict(), f"{moved.attribute}: {text}.")


def _why(line: past.Line) -> str:
    return f"{line.reason} (overridden: {', '.join(line.overridden)})" if line.overridden else line.reason


@attune_command(command, "history", example="attune probes history serious --on 2026-05-01")
@click.argument("name")
@click.option(
    "--on", metavar="DATE", help="Only the version on this date (UTC), such as 2026-03-01 or 2026-03-01T14:05."
)
@alias_option
def history(shell: Shell, name: str, on: str | None, alias: str) -> None:
    """List who moved NAME's aliases, when and why. With --on, show the champion at the end of that day."""
    if on is None:
        lines = past.history(shell.settings, name)
        cells = [
            (line.at.isoformat()[:19], line.action, line.alias, line.version, line.before, line.who, _why(line))
            for line in lines
        ]
        columns = ("at (UTC)", "action", "alias", "version", "before", "who", "reason")
        shell.result({"attribute": name, "history": [line.to_dict() for line in lines]}, table(columns, cells))
        return
    line = past.pointing_at(shell.settings, name, past.moment(on, "--on"), alias)
    value = {"attribute": name, "alias": alias, "on": on, "version": line.version if line else None}
    if line is None:
        shell.result(value | {"line": None}, f"{name}@{alias} did not exist on {on}.")
        return
    since = f"since {line.at.isoformat()[:19]} by {line.who}: {line.reason}"
    shell.result(value | {"line": line.to_dict()}, f"{name}@{alias} was version {line.version} on {on}, {since}")
