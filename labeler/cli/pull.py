"""`attune pull` and `attune score`: what pipelines do with a probe."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from labeler.catalog import source
from labeler.cli.shell import Group, Shell
from labeler.cli.shell import command as attune_command
from models.class_answers import sentences
from models.manifest import Manifest

SCORE = "attune score serious@champion --vectors new.parquet --to scores.parquet"


@click.group(cls=Group)
def _pipeline() -> None:
    """Holds the two commands; `attune` lists each by itself."""


_url = click.option(
    "--url", metavar="URL", help="Address of an Attune, or of a catalog's files; ATTUNE_URL unless given."
)
_offline = click.option("--offline", is_flag=True, help="Take only what was pulled before; ask nobody.")


def _where(shell: Shell, url: str | None, offline: bool) -> dict[str, Any]:
    """The arguments that ``models.pull`` takes."""
    offline = offline or shell.settings.offline
    chosen = url or shell.settings.url
    place = source.Place(chosen, None, "offline") if offline else source.find(shell.settings, url)
    if place.why == "the catalog of this workspace":
        shell.hint(f"The web app of this workspace does not run: reading {place.url} itself.")
    return {"url": place.url, "token": place.token, "cache": shell.settings.pull_cache, "offline": offline}


def _say_draft(shell: Shell, manifest: Manifest) -> None:
    if manifest.draft:
        told = " ".join(sentences(manifest.classes, manifest.labels))
        shell.hint(f"{manifest.attribute} version {manifest.version} is a draft. {told}")


@attune_command(_pipeline, "pull", workspace="optional", example="attune pull serious@champion --to ./probe")
@click.argument("ref", metavar="NAME[@ALIAS|@VERSION]")
@click.option("--to", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the files.")
@_url
@_offline
def pull(shell: Shell, ref: str, to: Path, url: str | None, offline: bool) -> None:
    """Fetch a probe's files, check their digests and put them into a folder. NAME alone means its champion."""
    from models.pull import pull as fetch_into

    done = fetch_into(ref, to, **_where(shell, url, offline))
    manifest = done.manifest
    value = {
        "attribute": manifest.attribute,
        "version": manifest.version,
        "draft": manifest.draft,
        "classes": list(manifest.classes),
        "folder": str(done.folder),
        "files": {name: asdict(entry) for name, entry in manifest.files.items()},
        "manifest": manifest.digest,
        "bytes": done.bytes,
    }
    came = f"{done.bytes:,} bytes came over the line" if done.bytes else "all of it was in the cache"
    shell.result(value, f"{manifest.attribute} version {manifest.version} is in {done.folder}; {came}.")
    _say_draft(shell, manifest)


@attune_command(_pipeline, "score", workspace="optional", example=SCORE)
@click.argument("ref", metavar="NAME[@ALIAS|@VERSION]")
@click.option(
    "--vectors",
    required=True,
    type=click.Path(path_type=Path),
    help="Vectors to score: .npz (ids, vectors), Parquet or Arrow (id, vector).",
)
@click.option("--to", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Parquet file to write.")
@click.option(
    "--fingerprint", type=click.Path(path_type=Path), help="JSON file that says which encoder made the vectors."
)
@click.option("--assume-fingerprint", is_flag=True, help="Take it on your word that the probe's encoder made them.")
@_url
@_offline
def score(
    shell: Shell,
    ref: str,
    vectors: Path,
    to: Path,
    fingerprint: Path | None,
    assume_fingerprint: bool,
    url: str | None,
    offline: bool,
) -> None:
    """Score vectors with a probe and write feature values, one row an asset and class."""
    from models.fingerprint import Fingerprint
    from models.probe_files import FILE_NAME, read_probe
    from models.pull import fetch
    from models.score import score_file

    fetched = fetch(ref, files=[FILE_NAME], **_where(shell, url, offline))
    manifest = fetched.manifest
    with shell.progress(f"score {manifest.attribute}@{manifest.version}") as report:
        done = score_file(
            manifest,
            read_probe(fetched.files[FILE_NAME].read_bytes()),
            vectors,
            to,
            Fingerprint.from_file(fingerprint) if fingerprint else None,
            assume_fingerprint,
            report,
        )
    value = {"attribute": manifest.attribute, "version": manifest.version, "to": str(to)} | asdict(done)
    _say_draft(shell, manifest)
    shell.result(
        value,
        f"{manifest.attribute} version {manifest.version} scored {done.assets:,} assets: {done.rows:,} rows in {to}.",
    )
    for reason, count in done.left_out.items():
        shell.hint(f"{count:,} rows were left out: {reason}.")
    if done.rescaled:
        shell.hint(f"{done.rescaled:,} vectors were brought to unit length first.")
