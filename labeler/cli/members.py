"""`attune members`: make groups of members, look at them, promote a version, forecast a title, and erase people."""

from __future__ import annotations

from typing import Any

import click

from attune.labeler.cli.erasing import check_whose
from attune.labeler.cli.shell import Group, Shell, key_value_lines, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.labeler.performance.columns import ARMS
from attune.labeler.records.session import reading
from attune.models.text import plural

KIND = "members"
VIEWING, RESPONSES = "viewing", "responses"


@click.group(cls=Group)
def command() -> None:
    """Make groups of members by what they watch or which artwork they take, and forecast new titles."""


@attune_command(
    command, "fit", workspace="made", example="attune members fit --viewing watched.parquet --map user=member"
)
@click.option("--viewing", metavar="FILE", help="member, title_id; minutes and time optional.")
@click.option("--responses", metavar="FILE", help="member, asset_id, title_id, impressions, takes; arm optional.")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="Which column of FILE is which field.")
@click.option("--arm", type=click.Choice(ARMS), help="Arm of responses without one: explore means shown at random.")
@click.option("--keep", type=int, metavar="DAYS", help="Keep the rows, hashed. Default: for this command only.")
@click.option("--clusters", type=int, metavar="K", help="Number of groups. Default: the most stable number.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Seed of the samples.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the worker.")
def fit(shell: Shell, no_wait: bool, clusters: int | None, seed: int, keep: int | None, **files: Any) -> None:
    """Make groups of members from FILE (CSV or Parquet, a path or an address), and from all rows that are kept.

    Members' ids are hashed while they are read. No figure of fewer than 50 members is ever shown or stored.
    """
    from attune.labeler.members import bring, kept  # here: they load DuckDB, and --help need not

    once: list[int] = []
    try:
        for kind in (VIEWING, RESPONSES):
            if files[kind] is not None:
                row = _bring(
                    shell, bring.Wanted(kind, files[kind], _maps(files["maps"], kind), files["arm"] or ""), keep
                )
                once += [] if keep is not None else [row.id]
        with shell.progress("groups") as report:
            made = jobs.ask(
                shell.settings, KIND, report, wait=not no_wait, clusters=clusters, seed=seed, who=who(), once=once
            )
    except BaseException:  # a bad second file, say, or no Redis: the rows were for this command only
        kept.let_go(shell.settings, once)
        raise
    if "job" in made:
        shell.result(made, f"Job {made['job']} is at work. To see the groups: `attune members show latest`")
        return
    _show(shell, str(made["version"]))


def _bring(shell: Shell, wanted: Any, keep: int | None) -> Any:
    """Keep the rows of one file, and say what became of it; the record."""
    from attune.labeler.members import bring

    with shell.progress(wanted.kind) as report:
        done = bring.add(shell.settings, wanted, keep, who(), report)
    shell.hint(f"{plural(done.row.rows, 'row')} of {wanted.kind}, of {done.row.rows_read:,} read.")
    for fault in done.faults:
        shell.hint(fault.text)
    return done.row


def _maps(maps: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """Those of ``maps`` that name a field of this kind, and those that name none: they are refused by name."""
    from attune.labeler.members.columns import LAYOUTS

    mine, every = LAYOUTS[kind].fields, {field for one in LAYOUTS.values() for field in one.fields}
    return tuple(one for one in maps if (field := one.rpartition("=")[2]) in mine or field not in every)


@attune_command(command, "show", example="attune members show")
@click.argument("version", default="", metavar="[VERSION]")
def show(shell: Shell, version: str) -> None:
    """Show the groups of VERSION: a number, latest, or champion (the default, once there is one)."""
    _show(shell, version)


def _show(shell: Shell, version: str) -> None:
    from attune.labeler.members import groupings, words

    row = groupings.find(shell.settings, version)
    figures = row.figures
    cells = [
        (one["group"], one["members"], f"{one['share']:.0%}",
         ", ".join(f"{title['title_id']} ×{title['lift']:.1f}" for title in one["titles"][:4]),
         ", ".join(f"{image.asset_id} {image.said}" for image in words.liked(row, one["group"])[:2]))
        for one in figures["groups"]
    ]  # fmt: skip
    names = ("group", "members", "share", "watches more than others", "artwork it takes more than others")
    shell.result(_record(row), table(names, cells))
    shell.hint(f"Version {row.id}. {words.stable(figures)}")
    if words.simulated(row):
        shell.hint(words.MADE_UP)
    shell.hint(words.about_artwork(figures))
    forecast = figures["forecast"]
    shell.hint(forecast["why"] or forecast["posters"])


def _record(row: Any) -> dict[str, Any]:
    made = {"version": row.id, "seed": row.seed, "made_by": row.made_by, "made_at": row.made_at}
    return {**made, **row.figures}


@attune_command(command, "list", example="attune members list")
def list_(shell: Shell) -> None:
    """List the versions, the newest first, and the rows that are kept."""
    from attune.labeler.members import groupings, kept

    with reading(shell.settings) as session:
        rows, files = groupings.listed(session), kept.listed(session)
        used = groupings.champion(session)
    cells = [(row.id, row.kind, row.groups, f"{row.figures['stability']:.2f}", row.made_at,
              "champion" if row.id == used else "") for row in rows]  # fmt: skip
    value = {
        "versions": [{"version": row.id, "kind": row.kind, "groups": row.groups, "stability": row.figures["stability"],
                      "made_by": row.made_by, "made_at": row.made_at, "champion": row.id == used} for row in rows],
        "kept": [{"file": row.id, "kind": row.kind, "source": row.source, "rows": row.rows, "added_by": row.added_by,
                  "added_at": row.added_at, "expires_at": row.expires_at, "simulated": row.simulated} for row in files],
    }  # fmt: skip
    shell.result(value, table(("version", "by", "groups", "stability", "made at", "in use"), cells))
    for row in files:
        made_up = ", simulated" if row.simulated else ""
        shell.hint(
            f"{plural(row.rows, 'row')} of {row.kind}{made_up} kept until {row.expires_at:%Y-%m-%d}: {row.source}"
        )


@attune_command(command, "promote", example='attune members promote 2 --reason "stable, and the groups make sense"')
@click.argument("version")
@click.option("--reason", required=True, help="Why, for the history.")
def promote(shell: Shell, version: str, reason: str) -> None:
    """Use VERSION from now on, where nobody names another."""
    from attune.labeler.members import groupings

    row = groupings.promote(shell.settings, version, reason, who())
    shell.result({"version": row.id, "reason": reason.strip()}, f"Version {row.id} is the champion.")


@attune_command(command, "forecast", example="attune members forecast title-17")
@click.argument("title")
@click.option("--version", default="", help="A number, latest or champion. Default: the champion, else the latest.")
def forecast(shell: Shell, title: str, version: str) -> None:
    """Forecast each group's share of the viewers of TITLE, which nobody has watched yet.

    It needs an image of the title in the pool. It goes with what is known of the title; it is no cause.
    """
    from attune.labeler.members import forecasting, groupings, words

    told = forecasting.forecast(shell.settings, groupings.find(shell.settings, version), title)
    lines = {f"group {one['group']}": words.share(one) for one in told["shares"]}
    shell.result(told, key_value_lines(lines))
    shell.hint(words.shares(told["shares"]))
    shell.hint(told["posters"])
    if told["simulated"]:
        shell.hint(words.MADE_UP)


@attune_command(command, "erase", example="attune members erase --member u17")
@click.option("--member", help="This member, as the files named them.")
@click.option("--everybody", is_flag=True, help="All members.")
def erase(shell: Shell, member: str | None, everybody: bool) -> None:
    """Erase the rows that are kept of one member or of everybody.

    There is no way back. Figures of groups, of 50 members or more, stay.
    """
    check_whose("rows", "members", "member", member, everybody)
    from attune.labeler.members import kept

    gone = kept.erase(shell.settings, member)
    shell.result({"erased": gone}, f"{plural(gone, 'row')} erased.")
    shell.hint(
        "Histories of `attune recommend` are kept apart. To erase one there: `attune recommend erase --user NAME`"
    )
