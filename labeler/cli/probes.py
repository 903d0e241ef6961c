"""`attune probes`: what is published, how it compares, and the moves between versions."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import click

from labeler import jobs
from labeler.catalog import heal as healing
from labeler.catalog import history as past
from labeler.catalog import listing, promote
from labeler.cli.shell import Group, Shell, table
from labeler.cli.shell import command as attune_command
from models.clock import parse
from models.errors import AttuneError, DataError
from models.manifest import CHAMPION


@click.group(cls=Group)
def command() -> None:
    """List, compare, promote, roll back and retire probes."""


_reason = click.option("--reason", required=True, metavar="R", help="Why, in a few words; kept in the history.")
_alias = click.option("--alias", default=CHAMPION, show_default=True, help="The alias to move.")


def _who() -> str:
    """Who the history names; a container may have no user database."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


def _figure(figure: dict[str, Any]) -> str:
    if figure.get("value") is None:
        return "not known"
    if figure.get("lo") is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} [{figure['lo']:.3f}, {figure['hi']:.3f}]"


@attune_command(command, "list", example="attune probes list serious")
@click.argument("name", required=False)
@click.option(
    "--candidates",
    default=listing.CANDIDATES,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="Newest runs to list that are not published.",
)
def list_(shell: Shell, name: str | None, candidates: int) -> None:
    """Every attribute's probes, or of NAME the versions and newest candidates."""
    if name is None:
        found = listing.overview(shell.settings)
        cells = [
            (
                row["attribute"],
                row["aliases"].get(CHAMPION),
                len(row["versions"]),
                row["newest"],
                row["answers"],
                _figure(row["average_precision"]),
            )
            for row in found
        ]
        columns = ("attribute", "champion", "versions", "newest run", "answers", "AP of the champion")
        shell.result({"probes": found}, table(columns, cells))
        return
    one = listing.versions(shell.settings, name, candidates)
    rows = [
        (
            row["version"],
            row["state"],
            ", ".join(row["aliases"]),
            _figure(row["average_precision"]),
            row["average_precision"].get("n"),
            row["answers"],
            row["created_at"][:19],
        )
        for row in one["versions"]
    ]
    shell.result(one, table(("version", "state", "aliases", "AP", "n", "answers", "created (UTC)"), rows, title=name))
    if not rows:
        shell.hint(f"Nothing was learned yet: attune learn {name}")


@attune_command(command, "compare", example="attune probes compare serious 3 latest")
@click.argument("name")
@click.argument("a")
@click.argument("b")
def compare(shell: Shell, name: str, a: str, b: str) -> None:
    """Versions A and B of NAME side by side, and their difference on the same audit answers."""
    found = listing.compare(shell.settings, name, a, b)
    first, second = found["versions"]
    rows = [("answers", first["answers"], second["answers"])]
    for metric in sorted(first["metrics"] | second["metrics"]):
        rows.append((metric, *(_figure(one["metrics"].get(metric, {})) for one in (first, second))))
    columns = ("figure", f"version {first['version']}", f"version {second['version']}")
    shell.result(found, table(columns, rows, title=name))
    paired = found["difference"]
    told = f"{_figure(paired)} (n = {paired['n']})" if paired["value"] is not None else f"not known: {paired['reason']}"
    shell.hint(f"Average precision of {first['version']} less that of {second['version']}, paired: {told}")


@attune_command(command, "promote", example='attune probes promote serious latest --reason "AP 0.91, seen with Mo"')
@click.argument("name")
@click.argument("version")
@_reason
@_alias
@click.option("--override", is_flag=True, help="Promote although an enforced gate failed.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the scores of the pool.")
def promote_(shell: Shell, name: str, version: str, reason: str, alias: str, override: bool, no_wait: bool) -> None:
    """Publish VERSION of NAME (a number, or latest) and point an alias at it; then score the pool with it."""
    moved = promote.promote(shell.settings, name, version, reason, _who(), alias, override)
    scores = _score(shell, moved, no_wait)
    shell.result(moved.to_dict() | {"scores": scores}, _told(moved))
    for gate in moved.gates:
        if not gate["passed"]:
            value = "not known" if gate["value"] is None else f"{gate['value']:.3f}"
            shell.hint(f"Gate not passed: {gate['name']} is {value}, the bound {gate['bound']:g} ({gate['text']}).")
    if moved.before != moved.version:
        shell.hint(f"Undo with: attune probes rollback {name} --reason R" + _aliased(alias))


def _told(moved: promote.Moved) -> str:
    told = f"{moved.attribute} version {moved.version} is {moved.alias}"
    if moved.before == moved.version:
        return f"{told} already; the history has your reason, nothing else changed."
    return f"{told} now." if moved.before is None else f"{told} now; before, version {moved.before} was."


def _aliased(alias: str) -> str:
    return "" if alias == CHAMPION else f" --alias {alias}"


def _score(shell: Shell, moved: promote.Moved, no_wait: bool) -> dict[str, Any]:
    """Score the pool; the promotion stands whatever comes of it."""
    try:
        with shell.progress(f"score {moved.attribute}@{moved.version}") as report:
            return jobs.ask(
                shell.settings, "score", report, wait=not no_wait, attribute=moved.attribute, version=moved.version
            )
    except AttuneError as error:
        shell.hint(f"Promoted, but the pool is not scored: {error}")
        return {"error": type(error).__name__, "message": str(error)}


@attune_command(command, "rollback", example='attune probes rollback serious --reason "too many false alarms"')
@click.argument("name")
@_reason
@_alias
def rollback(shell: Shell, name: str, reason: str, alias: str) -> None:
    """Point NAME's champion at the version that it was before."""
    _move(shell, lambda: promote.rollback(shell.settings, name, reason, _who(), alias), "{alias} is {version} again")


@attune_command(
    command, "retire", example='attune probes retire serious 3 --reason "made before the definition changed"'
)
@click.argument("name")
@click.argument("version")
@_reason
def retire(shell: Shell, name: str, version: str, reason: str) -> None:
    """Stop serving VERSION of NAME; its files and feature values stay."""
    _move(shell, lambda: promote.retire(shell.settings, name, version, reason, _who()), "version {version} is retired")


def _move(shell: Shell, move: Callable[[], promote.Moved], told: str) -> None:
    moved = move()
    shell.result(moved.to_dict(), f"{moved.attribute}: {told.format(alias=moved.alias, version=moved.version)}.")


@attune_command(command, "history", example="attune probes history serious --on 2026-05-01")
@click.argument("name")
@click.option("--on", metavar="DATE", help="Only what the alias pointed at then: 2026-03-01, or with a time, in UTC.")
@_alias
def history(shell: Shell, name: str, on: str | None, alias: str) -> None:
    """Who moved NAME's aliases when and why; with --on, what was champion at the end of that day."""
    if on is None:
        lines = past.history(shell.settings, name)
        cells = [
            (line.at.isoformat()[:19], line.action, line.alias, line.version, line.before, line.who, line.reason)
            for line in lines
        ]
        columns = ("at (UTC)", "action", "alias", "version", "before", "who", "reason")
        shell.result({"attribute": name, "history": [line.to_dict() for line in lines]}, table(columns, cells))
        return
    moment = _moment(on)
    line = past.pointing_at(shell.settings, name, moment, alias)
    value = {"attribute": name, "alias": alias, "on": on, "version": line.version if line else None}
    if line is None:
        shell.result(value | {"line": None}, f"{name} had no {alias} on {on}.")
        return
    since = f"since {line.at.isoformat()[:19]} by {line.who}: {line.reason}"
    shell.result(value | {"line": line.to_dict()}, f"{name} version {line.version} was {alias} on {on}, {since}")


def _moment(text: str) -> datetime:
    """The moment that ``text`` names; a day means its last one."""
    try:
        moment = parse(text)
    except ValueError as error:
        raise DataError(f"--on: {text!r} is no date. Write it as 2026-03-01 or 2026-03-01T12:00.") from error
    whole_day = len(text.strip()) == len("2026-03-01")
    return moment + timedelta(days=1, microseconds=-1) if whole_day else moment


@attune_command(command, "heal", example="attune probes heal")
def heal(shell: Shell) -> None:
    """Make the catalog's files say what the records say; `attune up` does so at each start."""
    done = healing.heal(shell.settings)
    written = [*done["versions"], *(f"aliases of {name}" for name in done["aliases"])]
    shell.result(done, f"Written anew: {', '.join(written)}." if written else "All is as the records say.")
