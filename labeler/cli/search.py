"""`attune search`: look around the pool, and send what was found to the experts' queues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from attune.labeler.cli.shell import Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.explore import search as searching
from attune.labeler.explore.search import Query
from attune.labeler.jobs import jobs
from attune.labeler.queues import pinned
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.models.errors import DataError
from attune.models.files.inputs import read_user_file
from attune.models.images.decode import inspect


@click.group()
def _explore() -> None:
    """Hold the command, which `attune` lists directly."""


@attune_command(_explore, "search", example='attune search "two people in love" --top 12 --queue romance')
@click.argument("text", required=False, default="")
@click.option("--like", default="", metavar="ASSET_ID", help="Find images that are similar to this asset.")
@click.option(
    "--image", type=click.Path(dir_okay=False, path_type=Path), help="Find images that are similar to this file."
)
@click.option("--title", default="", help="Only assets with this in their title, its name, or asset_id.")
@click.option("--column", default="", help="Only assets with --value in this column of the asset table.")
@click.option("--value", default="", help="Value of --column.")
@click.option("--top", default=20, show_default=True, type=click.IntRange(1, searching.TOP), help="Number of images.")
@click.option("--space", help="With --like: the space to compare in, such as final, taste or colour.")
@click.option("--other", default="", metavar="COLUMN", help="With --like: only images that share no value in COLUMN.")
@click.option("--queue", metavar="ATTRIBUTE", help="Add the results to the top of this attribute's queues.")
@click.option("--expert", metavar="EMAIL", help="With --queue: only this expert's queue.")
def search(
    shell: Shell, text: str, image: Path | None, top: int, queue: str | None, expert: str | None,
    space: str | None, other: str, **filters: str,
) -> None:  # fmt: skip
    """Find the images of the pool that are most similar to a TEXT, an asset, or an image file."""
    if expert and not queue:
        raise DataError(
            "--expert names a queue's expert, but --queue is missing. Add the attribute, such as --queue romance."
        )
    with reading(shell.settings) as session:
        names = searching.name_columns(session, filters["title"])
    query = Query(text=text.strip(), image=_handed_over(shell, image), name_columns=names, **filters)
    if not query.ranks:
        raise DataError(
            "Nothing to search for. Give a TEXT, --like ASSET_ID or --image FILE. For example: `attune search "
            "'two people in love'`"
        )
    searching.check(shell.settings, query)
    if space or other:
        _print_similar(shell, query, space, other, top, queue)
        return
    arguments = {name: value for name, value in vars(query).items() if value}
    with shell.progress("search") as report:
        done = jobs.ask(shell.settings, searching.KIND, report, top=top, **arguments)
    hits = searching.hits_of(done)
    value: dict[str, Any] = {"of": done["of"], "assets": [{"asset_id": a, "similarity": s} for a, s in hits]}
    if queue and hits:
        found_by = f"the text “{text}”" if text else f"similarity to {filters['like'] or 'an example'}"
        sent = pinned.send(shell.settings, queue, [a for a, _ in hits], who(), expert, found_by)
        value["queue"] = {"attribute": queue, **{k: getattr(sent, k) for k in ("queued", "asked_before", "experts")}}
        shell.hint(sent.sentence())
    titles = _titles(shell, [asset for asset, _ in hits])
    shell.result(value, table(("asset_id", "title_id", "similarity"), [(a, titles.get(a, ""), s) for a, s in hits]))


def _print_similar(shell: Shell, query: Query, space: str | None, other: str, top: int, queue: str | None) -> None:
    """The images similar to --like in a space; its title's own artwork and near duplicates apart."""
    if not query.like or query.filters or queue:
        raise DataError("--space and --other need --like, and go without --title, --column, --value and --queue.")
    # Here, as both load scikit-learn, and --help should not wait for it.
    from attune.labeler.explore.similar import similar
    from attune.labeler.spaces.spaces import FINAL

    space = space or FINAL
    found = similar(shell.settings, query.like, space, other, top)
    value = {
        "space": space,
        "of": found.of,
        "assets": [{"asset_id": a, "similarity": s} for a, s in found.hits],
        "same_title": list(found.own),
        "near_duplicates": list(found.twins),
    }
    titles = _titles(shell, [asset for asset, _ in found.hits])
    shell.result(
        value, table(("asset_id", "title_id", "similarity"), [(a, titles.get(a, ""), s) for a, s in found.hits])
    )
    for words, names in (("Of the same title", found.own), ("Near duplicates", found.twins)):
        if names:
            shell.hint(f"{words}, not listed: {', '.join(names)}")


def _handed_over(shell: Shell, image: Path | None) -> str:
    """The token under which a worker, or this process, takes the file over."""
    if image is None:
        return ""
    content = read_user_file(image, "--image")
    inspect(content, str(image), shell.settings.max_pixels, whole=False)
    return searching.store_upload(shell.settings, content, who())


def _titles(shell: Shell, asset_ids: list[str]) -> dict[str, str]:
    with reading(shell.settings) as session:
        rows = session.execute(select(Asset.asset_id, Asset.title_id).where(Asset.asset_id.in_(asset_ids)))
        titles: dict[str, str] = dict(rows.all())
        return titles
