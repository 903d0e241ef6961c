"""`attune insights simulate`: made-up performance with known truth, to learn with."""

from __future__ import annotations

from pathlib import Path

import click

from attune.labeler.cli.shell import Group, Shell
from attune.labeler.cli.shell import command as attune_command

FOLDER = click.Path(file_okay=False, path_type=Path)
TRAPS = ("confounding", "bandit", "errors")


@click.group(cls=Group)
def simulated_commands() -> None:
    """Hold the command, which `attune insights` lists."""


@attune_command(
    simulated_commands, "simulate", workspace="optional", example="attune insights simulate --to made-up --seed 3"
)
@click.option("--to", required=True, type=FOLDER, help="Folder for the files.")
@click.option(
    "--titles", default=400, show_default=True, type=click.IntRange(30, 5000), help="Titles, five images each."
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1), help="The same gives the same."
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(TRAPS),
    help="Leave a trap out: popular titles that differ, a program that chooses images, a probe that errs.",
)
def simulate(shell: Shell, to: Path, titles: int, seed: int, without: tuple[str, ...]) -> None:
    """Make up performance whose truth is known, to try insights on.

    The folder gets a performance file, three features, two files of members, the truth, and a README.md that says what
    is true and what to try. Import the files into a workspace of their own.
    """
    from attune.labeler.insights import simulated

    told = simulated.write(to, seed, simulated.world(titles, without))
    files = sorted(path.name for path in to.iterdir())
    value = {"folder": str(to), "seed": seed, "files": files, "rows": len(told.rows["takes"]), "effect": told.effect}
    shell.result(
        value, f"{to} has {len(told.rows['takes']):,} made-up rows of {titles:,} titles. Nothing was measured."
    )
    shell.hint(f"What is true, and what to try: {to / simulated.README}")
