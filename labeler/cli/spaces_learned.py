"""Learned spaces below `attune spaces`: learn, show, versions, promote and rollback; registered like probes."""

from __future__ import annotations

from typing import Any

import click

from attune.labeler.cli.shell import Group, Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.cli.vectors import name_left_out
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import SpacePromotion
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, space_moves, towers
from attune.models.catalog.manifest import CHAMPION, SPACE_PREFIX, parse_reference
from attune.models.clock import iso
from attune.models.text import plural


@click.group(cls=Group)
def learned_commands() -> None:
    """Hold the commands, which `attune spaces` lists."""


TUNING = "fine_tune"  # the kind of the job
NO_GAIN = (
    "No version was kept. In {epochs}, training the network did not make the lists better on titles that were held "
    "back for this. To learn from the encoder's vectors instead: `attune spaces learn taste --labels {column}`"
)


class Blocks(click.ParamType[int]):
    """How many of the last blocks: a number, or all, which is 0."""

    name = "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        if value == "all":
            return 0
        if str(value).isascii() and str(value).isdecimal() and 1 <= int(value) <= 1000:
            return int(value)
        self.fail(f"{str(value)[:40]!r} is no number of blocks. Give a number of 1 or more, such as 2, or all.")


LOSSES = ("angular", "multi_similarity", "supervised_contrastive", "nt_xent")
NAME = click.argument("name", metavar="SPACE")
ALIAS = click.option("--alias", default=CHAMPION, show_default=True, help="Alias to move.")
REASON = click.option("--reason", required=True, help="Reason, for the history.")


@attune_command(learned_commands, "learn", example="attune spaces learn taste --labels genre")
@NAME
@click.option("--labels", "column", required=True, metavar="COLUMN", help="Column of the asset table, such as genre.")
@click.option("--blend", type=click.FloatRange(0, 1), help="Share of the raw vectors. Default: chosen in the pool.")
@click.option("--loss", type=click.Choice(LOSSES), default="angular", show_default=True, help="Loss.")
@click.option("--quick", is_flag=True, help="Use the usual settings. Choose nothing by cross-validation.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Seed.")
@click.option(
    "--fine-tune",
    "blocks",
    metavar="N|all",
    type=Blocks(),
    help="Train the encoder's image tower itself: its last N blocks, or all.",
)
@click.option("--epochs", type=click.IntRange(1, 1000), help="With --fine-tune: at most so many.  [default: 10]")
def learn(
    shell: Shell,
    name: str,
    column: str,
    blend: float | None,
    blocks: int | None,
    epochs: int | None,
    **choices: Any,
) -> None:
    """Learn SPACE from the values of a column, measure it on other titles, and keep it as a new version.

    The version is used after you promote it. If the command stops, run it again: --fine-tune goes on after its last
    epoch. It needs the images, and takes minutes on a GPU, hours without one.
    """
    asked: dict[str, Any] = {"space": name, "column": column, "loss": choices["loss"], "seed": choices["seed"]}
    asked["tuned"] = not choices["quick"]
    if blend is not None:
        asked["blend"] = blend
    if blocks is None and epochs is not None:
        raise click.UsageError("--epochs is for --fine-tune. Give both, or neither.")
    if blocks is not None:
        asked |= {"blocks": blocks} | ({} if epochs is None else {"epochs": epochs})
    with shell.progress(f"Learning {name}") as report:
        done = jobs.ask(shell.settings, learned.KIND if blocks is None else TUNING, report, **asked, who=who())
    if not done["version"]:
        shell.result(done, NO_GAIN.format(epochs=plural(done["epochs"], "epoch"), column=column))
        return
    text = (
        f"{name} version {done['version']} learned {plural(len(done['labels']), 'label')} from {done['images']} images."
    )
    shell.result(done, text)
    if blocks is not None:
        name_left_out(shell, done["left_out"])
    shell.hint(f"To see how good it is: `attune spaces show {name}@{done['version']}`")
    shell.hint(f"To use it: `attune spaces promote {name} {done['version']} --reason R`")


@attune_command(learned_commands, "show", example="attune spaces show taste@champion")
@click.argument("ref", metavar="SPACE[@ALIAS|@VERSION]")
def show(shell: Shell, ref: str) -> None:
    """Show the card of a version: what it was taught, and how good it is beside raw vectors and regressions."""
    from attune.models.similarity.space_version import card_bytes

    reference = parse_reference(f"{SPACE_PREFIX}{ref.removeprefix(SPACE_PREFIX)}")
    with reading(shell.settings) as session:
        row = learned.find(session, reference)
    manifest = learned.load(row)[1]
    shell.result(manifest.to_dict(), card_bytes(manifest.facts).decode().rstrip())


@attune_command(learned_commands, "versions", example="attune spaces versions taste")
@NAME
def versions(shell: Shell, name: str) -> None:
    """List the versions of SPACE, newest first, and the history of its aliases."""
    with reading(shell.settings) as session:
        found = learned.versions(session, name)
        held = learned.aliases(session, name)
        past = learned.lines(session, name)
    rows = [
        {
            "version": one.version,
            "aliases": sorted(alias for alias, version in held.items() if version == one.version),
            "column": one.manifest["column"],
            "images": one.manifest["rows"],
            "precision": _precision(one.manifest),
            "created_at": iso(one.created_at),
            "made_by": one.made_by,
            "digest": one.digest,
        }
        for one in found
    ]
    cells = [
        (row["version"], ", ".join(row["aliases"]), row["column"], row["images"], row["precision"], row["created_at"])
        for row in rows
    ]
    value = {"space": name, "versions": rows, "history": [space_moves.to_dict(line) for line in reversed(past)]}
    shell.result(value, table(("version", "aliases", "column", "images", "P@10", "made"), cells))
    for line in reversed(past):
        shell.hint(f"{iso(line.at)[:19]} {line.who}: {line.action} {line.alias} to {line.version}. {line.reason}")
    if not found:
        shell.hint(learned.HOW)


@attune_command(learned_commands, "promote", example='attune spaces promote taste 2 --reason "better on rare genres"')
@NAME
@click.argument("version", metavar="VERSION|latest")
@REASON
@ALIAS
def promote(shell: Shell, name: str, version: str, reason: str, alias: str) -> None:
    """Make a version of SPACE the champion: pages, search and recommendations use it from then on.

    A version that was fine-tuned sees every image of the pool with its own network first.
    """
    _apply(shell, name, version)
    line = space_moves.promote(shell.settings, name, version, reason, who(), alias)
    _said(shell, shell.settings, line)


@attune_command(learned_commands, "rollback", example='attune spaces rollback taste --reason "too many hubs"')
@NAME
@REASON
@ALIAS
def rollback(shell: Shell, name: str, reason: str, alias: str) -> None:
    """Make the version champion that it was before."""
    line = space_moves.rollback(shell.settings, name, reason, who(), alias)
    _said(shell, shell.settings, line)


def _apply(shell: Shell, name: str, version: str) -> None:
    """Give all images their vectors of the version's own network, where it has one and they lack them."""
    with reading(shell.settings) as session:
        row = space_moves.chosen(session, name, version)
        waits = towers.waiting(shell.settings, session, row)
    if waits:
        with shell.progress(f"Looking at the images with version {row.version}") as report:
            done = jobs.ask(shell.settings, towers.KIND, report, space=name, version=row.version)
        name_left_out(shell, done["left_out"])


def _said(shell: Shell, settings: Settings, line: SpacePromotion) -> None:
    space_moves.mirror(settings, line.name)
    before = f", before {line.before}" if line.before else ""
    shell.result(
        {"space": line.name} | space_moves.to_dict(line), f"{line.name}@{line.alias} is version {line.version}{before}."
    )


def _precision(manifest: dict[str, Any]) -> str:
    """P@10 of the space on held-out titles beside that of the raw vectors."""
    measures = manifest.get("measures")
    if not measures:
        return "not measured"
    return f"{measures['space']['precision']['value']:.3f} (raw {measures['raw']['precision']['value']:.3f})"
