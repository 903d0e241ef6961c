"""`attune pull`: a probe's files into a folder; and where `attune score` finds the probe."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from attune.labeler.catalog import pull_address
from attune.labeler.cli.shell import Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.models.catalog.manifest import SPACE_PREFIX, Manifest
from attune.models.labels.class_coverage import missing_sentences
from attune.models.text import plural


@click.group(cls=Group)
def _pipeline() -> None:
    """Hold the command, which `attune` lists directly."""


FOLDER = click.Path(file_okay=False, readable=False, path_type=Path)
URL = click.option("--url", metavar="URL", help="URL of an Attune, or location of a catalog. Default: ATTUNE_URL.")
OFFLINE = click.option("--offline", is_flag=True, help="Use only files that were pulled before. Connect to nothing.")


def pull_arguments(shell: Shell, url: str | None, offline: bool) -> dict[str, Any]:
    """The arguments that ``attune.models.catalog.pull_probe`` takes."""
    offline = offline or shell.settings.offline
    address = url or shell.settings.url
    place = pull_address.Place(address, None, "offline") if offline else pull_address.find(shell.settings, url)
    if place.why == "the catalog of this workspace":
        shell.hint(f"The console of this workspace does not run. Reading {place.url} directly.")
    return {"url": place.url, "token": place.token, "cache": shell.settings.pull_cache, "offline": offline}


def warn_about_draft(shell: Shell, manifest: Manifest) -> None:
    """Say on stderr that a version is a draft, and of which classes nobody gave an answer."""
    if manifest.draft:
        reasons = " ".join(missing_sentences(manifest.classes, manifest.labels))
        shell.hint(f"{manifest.attribute} version {manifest.version} is a draft. {reasons}")


@attune_command(_pipeline, "pull", workspace="optional", example="attune pull serious@champion --to ./probe")
@click.argument("ref", metavar="NAME[@ALIAS|@VERSION]")
@click.option("--to", required=True, type=FOLDER, help="Folder for the files.")
@URL
@OFFLINE
@click.option("--force", is_flag=True, help="Overwrite a folder that holds another probe or space.")
def pull(shell: Shell, ref: str, to: Path, url: str | None, offline: bool, force: bool) -> None:
    """Pull the files of a probe to a folder and check their digests. Without a version, NAME means its champion.

    With space:NAME, such as space:taste@champion, pull a learned space.
    """
    from attune.models.catalog.pull_probe import pull as fetch_into

    if ref.startswith(SPACE_PREFIX):
        _pull_space(shell, ref, to, pull_arguments(shell, url, offline) | {"force": force})
        return
    done = fetch_into(ref, to, **pull_arguments(shell, url, offline), force=force)
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
    came = f"{plural(done.bytes, 'byte')} copied" if done.bytes else "all files were in the cache"
    shell.result(value, f"{manifest.attribute} version {manifest.version} is in {done.folder}; {came}.")
    warn_about_draft(shell, manifest)


def _pull_space(shell: Shell, ref: str, to: Path, arguments: dict[str, Any]) -> None:
    from attune.models.catalog.pull_probe import pull_space

    done = pull_space(ref, to, **arguments)
    facts = done.manifest.facts
    value = {
        "space": facts.name,
        "version": facts.version,
        "column": facts.column,
        "labels": list(facts.labels),
        "folder": str(done.folder),
        "files": {name: asdict(entry) for name, entry in done.manifest.files.items()},
        "manifest": done.manifest.digest,
        "bytes": done.bytes,
    }
    came = f"{plural(done.bytes, 'byte')} copied" if done.bytes else "all files were in the cache"
    shell.result(value, f"Space {facts.name} version {facts.version} is in {done.folder}; {came}.")
