"""`attune score`: what a probe says of vectors in a file, or of images."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attune.labeler.cli import drawings_only
from attune.labeler.cli.encoder_options import encoder_options
from attune.labeler.cli.engine_option import ENGINE, on_engine
from attune.labeler.cli.pull import OFFLINE, URL, pull_arguments, warn_about_draft
from attune.labeler.cli.shell import OUTPUT, Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.models.catalog.manifest import Manifest
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError
from attune.models.files.outputs import is_stdout
from attune.models.text import plural

if TYPE_CHECKING:
    from attune.models.catalog.score_vectors import Scored

NAMED = 5  # rows left out that are named one by one; JSON has more
EXAMPLE = """attune score serious@champion --vectors new.parquet --to scores.parquet
  attune score serious@champion --images ./new-posters --to scores.parquet"""


@click.group(cls=Group)
def _pipeline() -> None:
    """Hold the command, which `attune` lists directly."""


@attune_command(_pipeline, "score", workspace="optional", example=EXAMPLE)
@click.argument("ref", metavar="NAME[@ALIAS|@VERSION]")
@click.option(
    "--vectors",
    type=click.Path(path_type=Path),
    help="Vectors to score: .npz (ids, vectors), Parquet or Arrow (id, vector).",
)
@click.option("--images", multiple=True, metavar="PATH...", help="Images to score: folders, files or URLs.")
@click.argument("more", nargs=-1, metavar="")
@click.option("--to", required=True, type=OUTPUT, help="Parquet file to write.")
@click.option(
    "--fingerprint", type=click.Path(path_type=Path), help="JSON file that describes the encoder of the vectors."
)
@click.option(
    "--assume-fingerprint",
    is_flag=True,
    help="Assume that the probe's encoder made the vectors. Attune cannot check this.",
)
@encoder_options
@ENGINE
@URL
@OFFLINE
def score(
    shell: Shell,
    ref: str,
    vectors: Path | None,
    images: tuple[str, ...],
    more: tuple[str, ...],
    to: Path,
    fingerprint: Path | None,
    assume_fingerprint: bool,
    url: str | None,
    offline: bool,
    engine: str | None,
    **encoder: str | None,
) -> None:
    """Score vectors or images with a probe and write feature values, one row per asset and class.

    Images are embedded with the probe's encoder, which must be on this computer.
    """
    shell = on_engine(shell, engine)
    paths = _checked(vectors, images, more, fingerprint, assume_fingerprint, encoder, to)
    from attune.models.catalog.probe_files import FILE_NAME, read_probe
    from attune.models.catalog.pull_probe import fetch
    from attune.models.catalog.score_vectors import score_file

    fetched = fetch(ref, files=[FILE_NAME], **pull_arguments(shell, url, offline))
    manifest = fetched.manifest
    left_out: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        if vectors is None:
            vectors = Path(folder) / "vectors.arrow"
            left_out = _embed(shell, manifest, paths, vectors, encoder)
        with shell.progress(f"score {manifest.attribute}@{manifest.version}") as report:
            done = score_file(
                manifest,
                read_probe(fetched.files[FILE_NAME].read_bytes()),
                vectors,
                to,
                Fingerprint.from_file(fingerprint) if fingerprint else None,
                assume_fingerprint,
                report,
                shell.settings.engine,
            )
    value: dict[str, Any] = {"attribute": manifest.attribute, "version": manifest.version, "to": str(to)} | asdict(done)
    if paths:
        value["images_left_out"] = left_out
    warn_about_draft(shell, manifest)
    shell.written(
        to,
        value,
        f"{manifest.attribute} version {manifest.version} scored {plural(done.assets, 'asset')}. "
        f"{plural(done.rows, 'row')} written to {to}.",
    )
    _name_skipped(shell, left_out, done)


def _name_skipped(shell: Shell, left_out: list[dict[str, str]], done: Scored) -> None:
    """Hints about images and rows that have no score."""
    from attune.labeler.cli.vectors import name_left_out

    name_left_out(shell, left_out)
    for reason, count in done.left_out.items():
        shell.hint(f"{plural(count, 'row')} skipped: {reason}.")
    for row in done.rows_left_out[:NAMED]:
        shell.hint(f"Skipped row {row.row}: {row.id or 'it'} {row.reason}.")
    if len(done.rows_left_out) > NAMED:
        shell.hint("To list more of them, add --json.")
    if done.rescaled:
        shell.hint(f"{plural(done.rescaled, 'vector')} first scaled to length 1.")


def _checked(
    vectors: Path | None,
    images: tuple[str, ...],
    more: tuple[str, ...],
    fingerprint: Path | None,
    assumed: bool,
    encoder: dict[str, str | None],
    to: Path,
) -> tuple[str, ...]:
    """The paths of the images, where those are to be scored. Raises DataError for options that do not go together."""
    if more and not images:
        raise DataError(
            f"{more[0]!r} comes after the probe's name and is not an option. Images come after --images: "
            f"`attune score NAME --images {more[0]} --to scores.parquet`"
        )
    if (vectors is None) == (not images):
        raise DataError("Give either --vectors FILE or --images PATH. The probe scores one of the two.")
    if to.suffix.lower() != ".parquet" and (to.is_file() or not to.exists()) and not is_stdout(to):
        raise DataError(
            f"--to is {str(to)!r}. Feature values are written as Parquet. Give a name that ends in .parquet."
        )
    if images and (fingerprint or assumed):
        raise DataError(
            "--fingerprint and --assume-fingerprint are only for --vectors. With --images, leave them out: "
            "Attune embeds the images itself."
        )
    if vectors and any(encoder.values()):
        raise DataError(
            "--encoder, --pretrained and --resize-mode are only for --images. With --vectors, leave them out."
        )
    return (*images, *more)


def _embed(
    shell: Shell, manifest: Manifest, paths: tuple[str, ...], to: Path, encoder: dict[str, str | None]
) -> list[dict[str, str]]:
    """Write the vectors of the images to ``to``, and name those that were left out."""
    from attune.labeler.assets.chosen_encoder import choose_encoder, of_fingerprint
    from attune.labeler.assets.embed_files import embed_files

    settings = choose_encoder(shell.settings, encoder["encoder"], encoder["pretrained"], encoder["resize_mode"])
    required = Fingerprint.from_dict(dict(manifest.encoder))
    drawings_only.warn_scores(shell, required, paths)
    loaded = of_fingerprint(settings, required, f"The probe {manifest.attribute} version {manifest.version}")
    with shell.progress("Embedding") as report:
        return embed_files(settings, loaded, paths, to, report).left_out
