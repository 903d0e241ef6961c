"""`attune spaces`: the ways of seeing the pool, and the job that computes more of them."""

from __future__ import annotations

from typing import Any

import click

from attune.labeler.cli.shell import Group, Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.cli.spaces_learned import learned_commands
from attune.labeler.cli.vectors import name_left_out
from attune.labeler.jobs import jobs
from attune.labeler.spaces import spaces
from attune.models.text import plural

KIND = "layers"


@click.group(cls=Group)
def command() -> None:
    """List the spaces of the pool, compute layers or colours, and learn and promote a taste space."""


@attune_command(command, "list", example="attune spaces list")
def list_(shell: Shell) -> None:
    """List the spaces that have vectors, with what each is good for and its intrinsic dimension.

    The intrinsic dimension is measured when a space is computed or clustered.
    """
    found = spaces.listed(shell.settings)
    rows: list[dict[str, Any]] = [
        {
            "space": one.name,
            "version": one.version,
            "images": one.images,
            "dimension": one.dimension,
            "intrinsic_dimension": one.measures.get("two_nn"),
            "measures": dict(one.measures),
            "good_for": one.good_for,
            "digest": one.digest,
        }
        for one in found
    ]
    cells = [
        (_named(row), row["images"], row["dimension"], _figure(row["intrinsic_dimension"]), row["good_for"])
        for row in rows
    ]
    shell.result({"spaces": rows}, table(("space", "images", "dimension", "intrinsic", "good for"), cells))
    for one in found:
        if one.outgrown:
            shell.hint(
                f"{one.name} was fitted to {plural(one.outgrown, 'image')}, and now has {one.images}. To fit it to "
                f"today's pool, as a new version: `attune spaces layers {one.name} --refit`"
            )


@attune_command(command, "layers", example="attune spaces layers layer:2 layer:9 colour")
@click.argument("names", metavar="[SPACE]...", nargs=-1)
@click.option("--refit", is_flag=True, help="Find the layers' components anew: a new version of each layer's space.")
def layers(shell: Shell, names: tuple[str, ...], refit: bool) -> None:
    """Compute the vectors of all images in each SPACE: layer:N or colour. Without SPACE: 4 layers of the encoder.

    Layers count from 0, the earliest. If the command stops, run it again without --refit to continue.
    """
    wanted = [spaces.check_computed(name) for name in names]
    with shell.progress("Computing spaces") as report:
        done = jobs.ask(shell.settings, KIND, report, names=wanted, refit=refit)
    if "spaces" in done:
        made = ", ".join(done["spaces"]) or "none"
        shell.result(done, f"{plural(done['computed'], 'image')} computed. Spaces: {made}.")
        name_left_out(shell, done["left_out"])


for _one in learned_commands.commands.values():
    command.add_command(_one)


def _named(row: dict[str, Any]) -> str:
    return row["space"] if row["version"] is None else f"{row['space']}@{row['version']}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
