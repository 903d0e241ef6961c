"""`attune insights goes-with`: which features go with takes across titles. It predicts, and does not explain."""

from __future__ import annotations

from pathlib import Path

import click

from attune.labeler.cli.shell import Group, Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.models.errors import DataError

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Group)
def goes_with_commands() -> None:
    """Hold the command, which `attune insights` lists."""


@attune_command(goes_with_commands, "goes-with", example="attune insights goes-with --to plot.svg")
@click.option("--to", type=FILE, help="A plot, as an .svg file.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="The same gives the same."
)
def goes_with(shell: Shell, to: Path | None, seed: int) -> None:
    """Learn which features go with takes across titles, all at once. Grade D: never that one is better.

    Two models beside each other, gradient boosting and a sparse linear one, are asked about titles that they did not
    learn from. A feature adds as much as the prediction gets worse when its values change places.
    """
    from attune.labeler.insights.goes_with import goes_with as learned
    from attune.labeler.insights.goes_with_plot import percent, plot
    from attune.models.files.atomic import write_bytes

    if to is not None and to.suffix.lower() != ".svg":
        raise DataError(f"{to} is not a name of a plot. Name it with .svg, for example: --to plot.svg")
    told = learned(shell.settings, seed).as_json()
    if to is not None:
        write_bytes(to, plot(told).encode())
    cells = [(one["feature"], percent(one["boosting"]), percent(one["linear"])) for one in told["features"]]
    whole = ("all together", percent(told["explains"]["boosting"]), percent(told["explains"]["linear"]))
    shell.result(told, table(("feature", "gradient boosting", "sparse linear"), [whole, *cells]))
    shell.hint(
        f"The share of how much images of {told['titles']:,} titles differ that is predicted, on titles that were not "
        "learned from. It goes with takes and does not say why: popular titles have other artwork."
    )
    if told["titles"] < told["all_titles"]:
        shell.hint(f"{told['titles']:,} of {told['all_titles']:,} titles were drawn.")
    if told["uncorrected"]:
        shell.hint(f"What a probe or a detector gets wrong is not corrected here: {', '.join(told['uncorrected'])}.")
    if told["left_out"]:
        shell.hint(f"Left out, because these images have one value of it, or none: {', '.join(told['left_out'])}.")
    if told["simulated"]:
        shell.hint("The performance is simulated: nobody measured it.")
