"""`attune map`: a map of the pool, on which similar images are near each other and no image ever moves."""

from __future__ import annotations

from pathlib import Path

import click

from attune.labeler.cli.shell import OUTPUT, Group, Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.labeler.maps import layouts
from attune.labeler.records.session import reading
from attune.labeler.spaces import origins, spaces
from attune.models.text import plural

SPACE = click.option("--space", default="final", show_default=True, help="Space: final, colour, taste, or layer:N.")


@click.group(cls=Group)
def command() -> None:
    """Make a map of the pool, list the maps, and write one to a file."""


@attune_command(command, "make", example="attune map make")
@SPACE
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0, 2**31 - 1),
    help="Seed of the landmarks of a new map.",
)
@click.option("--anew", is_flag=True, help="Make a new map although there is one. All images get other places.")
def make(shell: Shell, space: str, seed: int, anew: bool) -> None:
    """Make the map of a space, or put new images on the one that is there.

    Images that are on the map stay where they are. If the command stops, run it again.
    """
    spaces.check_name(space)
    with shell.progress("map") as report:
        done = jobs.ask(shell.settings, layouts.KIND, report, space=space, seed=seed, anew=anew, who=who())
    placed = plural(done["placed"], "image")
    shell.result(done, f"{placed} placed. The map of {space} shows {plural(done['images'], 'image')}.")


@attune_command(command, "show", example="attune map show")
def show(shell: Shell) -> None:
    """List the maps, the newest first, with how many images each shows."""
    with reading(shell.settings) as session:
        there = layouts.listed(session)
        made = origins.of(session, there)
        rows = [
            {
                "map": one.id,
                "space": one.space,
                "version": one.space_version,
                "older": made[one.id].older,
                "images": layouts.shown(shell.settings, session, one),
                "waiting": layouts.waiting(shell.settings, session, one),
                "landmarks": one.landmarks,
                "landmarks_digest": one.landmarks_digest,
                "seed": one.seed,
                "made_by": one.made_by,
                "made_at": one.made_at,
            }
            for one in there
        ]
    columns = ("map", "space", "images", "waiting", "landmarks", "made by", "made at")
    told = [row | {"space": made[one.id].cell} for one, row in zip(there, rows, strict=True)]
    cells = [[row[name.replace(" ", "_")] for name in columns] for row in told]
    shell.result({"maps": rows}, table(columns, cells))
    if not rows:
        shell.hint("There is no map yet. Make one: `attune map make`")


@attune_command(command, "export", example="attune map export --to map.parquet")
@click.option("--to", required=True, type=OUTPUT, help="File to write: .parquet.")
@SPACE
@click.option("--images", is_flag=True, help="Add a small picture of each image, some 5 kB.")
def export(shell: Shell, to: Path, space: str, images: bool) -> None:
    """Write the map with each image's nearest neighbours to a Parquet file for Embedding Atlas.

    The file also has the asset table's columns and the clusters.
    """
    from attune.labeler.maps.exported import export as exported

    spaces.check_name(space)
    with shell.progress("map") as report:
        rows = exported(shell.settings, to, space, report, images)
    with reading(shell.settings) as session:
        row = layouts.needed(session, space)
        label = origins.of(session, [row])[row.id].label
    value = {"to": str(to), "rows": rows, "space": space, "version": row.space_version}
    shell.written(to, value, f"{plural(rows, 'image')} of the map of {label} written to {to}.")
    if rows:
        shown = " --image image" if images else ""
        shell.hint(f"To open it: `embedding-atlas {to.name} --x x --y y --neighbors neighbors{shown}`")
