"""`attune embed` and `attune vectors export`: vectors in files, for other programs and for `attune score`."""

from __future__ import annotations

from pathlib import Path

import click

from attune.labeler.cli import workspace_check
from attune.labeler.cli.encoder_options import encoder_options
from attune.labeler.cli.engine_option import ENGINE, on_engine
from attune.labeler.cli.shell import OUTPUT, Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.records.session import reading
from attune.models.text import plural

TO = click.option("--to", required=True, type=OUTPUT, help="File to write: .parquet or .arrow.")
NAMED = 10  # images left out that are named one by one on a terminal; --json names all


@click.group(cls=Group)
def command() -> None:
    """Export the pool's vectors to a file."""


@click.group(cls=Group)
def _embed_group() -> None:
    """Hold `embed`, which `attune` lists directly."""


@attune_command(_embed_group, "embed", workspace="optional", example="attune embed ./new-posters --to vectors.parquet")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@TO
@encoder_options
@ENGINE
def embed(
    shell: Shell,
    paths: tuple[str, ...],
    to: Path,
    engine: str | None,
    encoder: str | None,
    pretrained: str | None,
    resize_mode: str | None,
) -> None:
    """Embed the images at PATH (folders, files, URLs) and write their vectors to a file. The pool does not change.

    By default, Attune uses the workspace's encoder. The file has the columns asset_id and vector, and names the
    encoder. `attune score --vectors` and `attune assets add --vectors` read such a file.
    """
    from attune.labeler.assets import chosen_encoder
    from attune.labeler.assets.active_encoder import load
    from attune.labeler.assets.embed_files import as_json, embed_files
    from attune.models.vectors.vector_writer import check_suffix

    check_suffix(to)
    settings = chosen_encoder.choose_encoder(on_engine(shell, engine).settings, encoder, pretrained, resize_mode)
    if encoder is None and resize_mode is None and workspace_check.is_there(settings):
        workspace_check.open_records(settings, make=False)
        loaded = chosen_encoder.of_workspace(settings)
    else:
        loaded = load(settings)
    with shell.progress("Embedding") as report:
        written = embed_files(settings, loaded, paths, to, report)
    shell.written(
        to,
        as_json(written, loaded, to),
        f"{plural(written.embedded, 'vector')} of {loaded.fingerprint} written to {to}.",
    )
    name_left_out(shell, written.left_out)


def name_left_out(shell: Shell, left_out: list[dict[str, str]]) -> None:
    """Say of each image why it was left out; of many the first ones."""
    for item in left_out[:NAMED]:
        shell.hint(f"Skipped: {item['message']}")
    if len(left_out) > NAMED:
        shell.hint(f"… and {len(left_out) - NAMED:,} more were skipped. To list them all, add --json.")


@attune_command(command, "export", example="attune vectors export --to pool.parquet")
@TO
def export(shell: Shell, to: Path) -> None:
    """Write the vector of every image of the pool to a file, in the same format as `attune embed`."""
    from attune.labeler.assets.active_pool import open_pool
    from attune.models.vectors.vector_writer import ROW_GROUP, check_suffix, vector_file

    check_suffix(to)
    with reading(shell.settings) as session:
        view = open_pool(shell.settings, session)
    total, start = int((view.keys >= 0).sum()), 0
    with shell.progress("Writing vectors") as report, vector_file(to, view.fingerprint) as writer:
        for block in view.pool.blocks:
            for low in range(0, len(block), ROW_GROUP):
                rows = slice(start + low, min(start + low + ROW_GROUP, start + len(block)))
                visible = view.keys[rows] >= 0
                writer.add(view.pool.asset_ids[rows][visible].tolist(), block[low : low + ROW_GROUP][visible])
                report(writer.rows, total)
            start += len(block)
    value = {"to": str(to), "vectors": total, "encoder": view.fingerprint.to_dict(), "digest": view.fingerprint.digest}
    shell.written(to, value, f"{plural(total, 'vector')} of {view.fingerprint} written to {to}.")
