"""`attune backup` and `attune restore`: a whole workspace as a folder, taken while Attune runs; `attune records`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attune.labeler.cli.shell import Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.models.text import plural

if TYPE_CHECKING:
    from attune.labeler.backups.manifest import Manifest

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def _private() -> None:
    """Hold the commands, which `attune` lists directly."""


@attune_command(_private, "backup", example="attune backup /backups/2026-11-28")
@click.argument("to", metavar="FOLDER", type=FOLDER)
@click.option("--without-vectors", is_flag=True, help="Leave the vectors out. Attune can compute them again.")
def backup(shell: Shell, to: Path, without_vectors: bool) -> None:
    """Back up the whole workspace to a new FOLDER. Attune may run meanwhile.

    The backup holds answers, password hashes and keys: keep it as safe as the workspace.
    """
    from attune.labeler.backups.take import take

    with shell.progress("backup") as report:
        made = take(shell.settings, to, report, without_vectors)
    shell.result({"backup": str(to), **_value(made)}, f"{to}: {_text(made)}.")
    for line in made.elsewhere:
        shell.hint(line)
    shell.hint(f"To restore it: `attune restore {to} --workspace NEW`")


@attune_command(_private, "restore", workspace="optional", example="attune restore /backups/2026-11-28 --workspace new")
@click.argument("source", metavar="FOLDER", type=FOLDER)
@click.option(
    "--erased",
    type=click.Path(dir_okay=False, path_type=Path),
    help="List of erased people (erased.json of the newer workspace). Whoever it names is erased here again.",
)
def restore(shell: Shell, source: Path, erased: Path | None) -> None:
    """Restore the backup in FOLDER into a new workspace. Every file is checked.

    Everybody must log in again. With ATTUNE_DATABASE_URL the records go to that database, which must be empty.
    """
    from attune.labeler.backups.restore import restore as restored

    with shell.progress("restore") as report:
        done = restored(source, shell.settings, report, erased)
    made, workspace = done.manifest, shell.settings.workspace
    value = {"workspace": str(workspace), **_value(made), "without_file": done.without_file}
    back = done.erased_again
    value |= {"erased_again": len(back.people), "people_erased_again": list(back.people)}
    shell.result(value, f"{workspace}: {_text(made)}.")
    if done.without_file:
        shell.hint(f"{plural(done.without_file, 'image')} of the workspace had no file when the backup was taken.")
    for line in made.elsewhere:
        shell.hint(line)
    if back.people or erased:
        who = "1 person" if len(back.people) == 1 else f"{len(back.people)} people"
        named = f": {', '.join(back.people)}. The next start erases them again." if back.people else "."
        shell.hint(f"{who} of the list of erased people came back with the backup{named}")
    if back.stays:
        shell.hint(back.stays)
    if not erased:
        shell.hint("People who were erased after the backup are back: `attune expert erased --again erased.json`")
    shell.hint(
        "People and tokens that were removed after the backup are back: look at `attune user list` and "
        f"`attune token list`. To start: `attune up --workspace {workspace}`"
    )


@click.group(cls=Group)
def records() -> None:
    """Copy the records to another database."""


@attune_command(records, "copy", example="attune records copy --to postgresql://attune@db/attune")
@click.option("--to", required=True, metavar="URL", help="An empty database: sqlite:///FILE or postgresql://….")
def copy(shell: Shell, to: str) -> None:
    """Copy all rows to another database, from SQLite to PostgreSQL or back. Stop Attune first.

    What is written after the copy began is not in it. Then set ATTUNE_DATABASE_URL to the new database.
    """
    from attune.labeler.records import copy_rows
    from attune.labeler.services.workspace_lock import check_unlocked
    from attune.labeler.settings import hidden

    check_unlocked(shell.settings)
    with shell.progress("rows") as report:
        rows = copy_rows.copy(shell.settings.records_url, copy_rows.address(to), report)
    shell.result({"rows": rows, "to": hidden(to)}, f"{plural(rows, 'row')} copied to {hidden(to)}.")
    shell.hint(f"To use them: set ATTUNE_DATABASE_URL={hidden(to)}, then `attune up`")


def _value(made: Manifest) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "attune": made.attune,
        "schema": made.schema,
        "taken_at": made.taken_at,
        "files": len(made.files),
        "bytes": made.bytes,
        **asdict(made.counts),
        "elsewhere": list(made.elsewhere),
    }


def _text(made: Manifest) -> str:
    counts = made.counts
    what = (
        plural(counts.images, "image"),
        plural(counts.answers, "answer"),
        plural(counts.attributes, "question"),
        plural(counts.versions, "version"),
    )
    return f"{', '.join(what)} in {plural(len(made.files), 'file')}, {made.bytes / 2**20:,.1f} MiB"
