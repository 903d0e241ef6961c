"""`attune assets`: images into the pool, a look at what is there, and out again."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click
from sqlalchemy import func, select

from attune.labeler.cli import drawings_only
from attune.labeler.cli.progress_bars import bars
from attune.labeler.cli.shell import Group, Shell, somebody_reads, stop, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.models.clock import iso
from attune.models.errors import DataError, consequence
from attune.models.text import plural

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Group)
def command() -> None:
    """Add, list, read again and remove images of the pool."""


@attune_command(command, "add", workspace="made", example="attune assets add ./posters --manifest posters.csv")
@click.argument("paths", metavar="PATH...", nargs=-1)
@click.option(
    "--manifest",
    type=FILE,
    help="Asset table (CSV or Parquet) with asset_id, uri or filename, title_id and any other columns.",
)
@click.option("--vectors", type=FILE, help="Supplied vectors (.npz, Parquet or Arrow). Attune then needs no encoder.")
@click.option("--fingerprint", type=FILE, help="JSON file that describes the encoder of --vectors.")
@click.option("--restore", is_flag=True, help="Add assets again that were removed.")
@click.option("--yes", is_flag=True, help="Do not ask before images are added that the encoder does not fit.")
@click.option("--no-wait", is_flag=True, help="Return at once. The workers embed the images.")
def add(
    shell: Shell,
    paths: tuple[str, ...],
    manifest: Path | None,
    vectors: Path | None,
    fingerprint: Path | None,
    restore: bool,
    yes: bool,
    no_wait: bool,
) -> None:
    """Add the images at PATH to the pool.

    A PATH is a folder, a file, a URL or a bucket path such as s3://bucket/folder. Run the command again to add new
    images or to finish after a stop. It names each image that it cannot add, with the reason, and continues with the
    others.
    """
    from attune.labeler.assets.add import Request, add

    if not paths and manifest is None:
        raise DataError(
            "No images named. Give at least one PATH or a --manifest. For example: `attune assets add ./posters`"
        )
    names = [os.fsencode(path).decode("utf-8", "surrogateescape") for path in paths]
    if vectors is None:
        drawings_only.ask(shell, names or [manifest.parent] if manifest else names, yes)
    request = Request(names, manifest, vectors, fingerprint, restore, not no_wait)
    with bars() as start:
        summary = add(shell.settings, request, start("Reading images"), start("Embedding"))
    shell.result(summary.to_dict(), table(("what", "images", "for example"), summary.rows()))
    if summary.added and paths:
        shell.hint(_take_out(paths, summary.added, summary.already_there + summary.restored))
    if summary.jobs and no_wait:
        shell.hint(
            f"The workers will embed the images in {plural(len(summary.jobs), 'job')}. To see which images are ready: "
            "`attune assets list`"
        )
    if not summary.succeeded:
        first = summary.refused[0][2] if summary.refused else f"There are no images at {', '.join(names) or manifest}."
        stop(f"attune: Nothing was added. {first}", consequence(DataError).exit_code)


def _take_out(paths: tuple[str, ...], added: int, before: int) -> str:
    """How to take out the images that were ``added`` from ``paths``, where ``before`` others were in the pool."""
    place = shlex.quote(paths[0]) if len(paths) == 1 else "PATH"
    if not before:
        return f"Wrong images? To take them out again: `attune assets remove --from {place}`"
    return (
        f"Wrong images? To take out only {'this one' if added == 1 else f'these {added:,}'}: `attune assets remove "
        f"ID...`. Careful: `attune assets remove --from {place}` also takes out the {plural(before, 'image')} that "
        f"{'was' if before == 1 else 'were'} added before."
    )


@attune_command(command, "list", example="attune assets list --limit 20")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Number of assets on one page."
)
@click.option("--offset", type=click.IntRange(0, 2**31), default=0, help="Number of assets to skip.")
def list_(shell: Shell, limit: int, offset: int) -> None:
    """List the assets of the pool, one page at a time."""
    from attune.labeler.assets.active_encoder import active_fingerprint
    from attune.models.vectors.vector_store import VectorStore

    alive = Asset.removed_at.is_(None)
    with reading(shell.settings) as session:
        total = session.scalar(select(func.count()).select_from(Asset).where(alive)) or 0
        query = select(Asset).where(alive).order_by(Asset.asset_id).limit(limit).offset(offset)
        assets = list(session.scalars(query))
        active = active_fingerprint(session)
    ids = [asset.asset_id for asset in assets]
    missing = set(ids if active is None else VectorStore(shell.settings.vectors).missing(active, ids))
    rows = [_row(asset, asset.asset_id not in missing) for asset in assets]
    names = ("asset_id", "title_id", "pixels", "vector", "uri")
    table_rows = [
        (
            asset_row.asset_id,
            asset_row.title_id,
            f"{asset_row.width} x {asset_row.height}",
            ("yes", "no")[asset_row.asset_id in missing],
            asset_row.uri,
        )
        for asset_row in assets
    ]
    encoder = None if active is None else active.to_dict()
    value = {"total": total, "offset": offset, "encoder": encoder, "assets": rows}
    shell.result(value, table(names, table_rows))
    if not total:
        shell.hint("No images yet. Add some: `attune assets add ./posters`")
    elif not shell.json:
        until = offset + len(rows)
        more = f" Next page: --offset {until}" if until < total else ""
        shell.hint(f"{offset + 1 if rows else 0}-{until} of {plural(total, 'asset')}.{more}")


def _row(asset: Asset, has_vector: bool) -> dict[str, Any]:
    return {
        "asset_id": asset.asset_id,
        "title_id": asset.title_id,
        "width": asset.width,
        "height": asset.height,
        "vector": has_vector,
        "uri": asset.uri,
        "columns": asset.columns,
        "added_at": iso(asset.added_at),
    }


@attune_command(command, "reread", example="attune assets reread")
def reread(shell: Shell) -> None:
    """Read images again after an Attune update, and embed those that changed."""
    from attune.labeler.jobs import jobs
    from attune.labeler.records.session import migrate

    migrate(shell.settings)
    with bars() as start:
        if jobs.workers_alive(shell.settings, "reread"):
            job = jobs.enqueue(shell.settings, "reread")
            result = jobs.follow(shell.settings, job, start("Reading images"))
        else:
            result = jobs.run_here(shell.settings, "reread", start("Reading images"))
    lines = [f"Checked {plural(result['looked_at'], 'image')}. Changed and read again: {result['moved']:,}."]
    lines += [item["message"] for item in result["left_out"][:10]]
    if len(result["left_out"]) > 10:
        lines.append(f"{len(result['left_out']) - 10:,} more could not be read. To list them all, add --json.")
    shell.result(result, "\n".join(lines))


@attune_command(command, "remove", example="attune assets remove poster-17.jpg poster-18.jpg")
@click.argument("asset_ids", metavar="ID...", nargs=-1)
@click.option("--from", "place", metavar="PATH", help="Remove all images at PATH, as `assets add` was given it.")
@click.option("--yes", is_flag=True, help="With --from: do not ask first. Scripts need it.")
def remove(shell: Shell, asset_ids: tuple[str, ...], place: str | None, yes: bool) -> None:
    """Remove assets from the pool, the queues, the vectors and the caches. Their answers are kept.

    With --from, the command says how many images this takes out, and from which folders, and asks first.
    """
    from attune.labeler.assets.remove import remove

    if not asset_ids and place is None:
        raise DataError("No images named. Give ids, or a folder: `attune assets remove --from ./posters`")
    done = remove(shell.settings, [*asset_ids, *(_agreed(shell, place, yes) if place else ())])
    value = {
        "removed": done.removed,
        "removed_before": done.removed_before,
        "vectors": done.vectors,
        "tasks": done.tasks,
        "label_studio_error": done.label_studio_error or None,
    }
    before = f" Removed before: {len(done.removed_before):,}." if done.removed_before else ""
    text = (
        f"Removed {plural(len(done.removed), 'asset')}, {plural(done.vectors, 'vector')} and "
        f"{plural(done.tasks, 'open task')}.{before}"
    )
    shell.result(value, text)
    if done.label_studio_error:
        shell.hint(
            f"Label Studio still lists these tasks, without their images. {done.label_studio_error} Run the "
            "same command again when Label Studio answers."
        )


def _agreed(shell: Shell, place: str, yes: bool) -> list[str]:
    """The ids at ``place``, once a person or ``yes`` agreed to remove them; ends the command where nobody does.

    Nobody is asked about images whose removal a kill left undone.
    """
    from attune.labeler.assets.at_place import at_place

    found = at_place(shell.settings, place)
    if found.there and not yes:
        if not somebody_reads():
            raise DataError(
                f"{found.sentence()} Nothing was removed, because nobody is at a terminal to agree. To remove them in "
                "a script, add --yes."
            )
        shell.hint(found.sentence())
        if not click.confirm("Remove them?", err=True):
            stop("attune: Nothing was removed.", consequence(DataError).exit_code)
    return [*found.there, *found.left_over]
