"""`attune duplicates`: images of the pool that are nearly the same, and those that are unlike all others."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select

from attune.labeler.cli.shell import Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.explore import duplicates
from attune.labeler.explore.duplicates import ALIKE, FIRST, IDENTICAL, SAME, Alike
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.models.text import plural

WORDS = {
    FIRST: "the others are compared with this one",
    IDENTICAL: "identical file",
    SAME: "same picture, saved again",
    ALIKE: "very alike: may be a different picture",
}


@click.group()
def _private() -> None:
    """Hold the command, which `attune` lists directly."""


@attune_command(_private, "duplicates", example="attune duplicates --anew")
@click.option("--anew", is_flag=True, help="Search again. Default: show the last search, if there is one.")
@click.option("--outliers", is_flag=True, help="Show the images that are unlike all others instead.")
def command(shell: Shell, anew: bool, outliers: bool) -> None:
    """List images that are nearly the same, and images that are unlike all others.

    What was removed or decided in the console is left out. To take an image out: `attune assets remove ID`.
    """
    found = None if anew else duplicates.load(shell.settings)
    if found is None:
        with shell.progress("duplicates") as report:
            jobs.ask(shell.settings, duplicates.KIND, report)
        found = duplicates.load(shell.settings)
        assert found is not None  # the job has just written it
    with reading(shell.settings) as session:
        left = duplicates.left(session, found)
        keys = [*(one.key for group in left.groups for one in group), *dict(left.outliers)]
        names = duplicates.ids_of(session, keys)
        later = select(Asset.id).where(Asset.id > found.until, Asset.removed_at.is_(None)).limit(1)
        newer = session.scalar(later) is not None

    def row(one: Alike) -> dict[str, Any]:
        return _row(names[one.key], left.titles[one.key], one.cosine) | {"likeness": one.likeness}

    value = {"assets": found.assets, "made_at": found.made_at}
    groups = [{"assets": [row(one) for one in group]} for group in left.groups]
    alone = [_row(names[key], left.titles[key], near) for key, near in left.outliers]
    value |= {"groups": groups, "outliers": alone}
    if outliers:
        cells = [(one["asset_id"], one["title_id"], one["similarity"]) for one in alone]
        shell.result(value, table(("asset_id", "title_id", "similarity to the nearest"), cells))
    else:
        numbered = [
            (number, one["asset_id"], one["title_id"], one["similarity"], WORDS[one["likeness"]])
            for number, group in enumerate(groups, 1)
            for one in group["assets"]
        ]
        shell.result(value, table(("group", "asset_id", "title_id", "similarity", "likeness"), numbered))
    shell.hint(
        f"{plural(len(groups), 'group')} and {plural(len(left.outliers), 'outlier')} among {found.assets:,} images."
    )
    if newer:
        shell.hint("New images came since this search. To search again: `attune duplicates --anew`")


def _row(asset_id: str, title_id: str, similarity: float) -> dict[str, Any]:
    return {"asset_id": asset_id, "title_id": title_id, "similarity": similarity}
