"""`attune clusters`: make groups of similar images, look at them, name them, compare two makings, export one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from attune.labeler.cli.engine_option import ENGINE, ask, on_engine
from attune.labeler.cli.shell import OUTPUT, WORKSPACE, Group, Shell, shown, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.explore import clusters as explored
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.spaces import clusterings, members, origins
from attune.labeler.spaces.clusterings import KIND, MOST, USUAL, Saved
from attune.labeler.spaces.words import changed, fewer
from attune.models.text import plural

SHOWN = 5  # typical images of a cluster in a table
LOOSE = "loose"
K = click.IntRange(2, MOST)


@click.group()
def _private() -> None:
    """Hold the listing, which the group does when no command of its own is given."""


@attune_command(_private, "clusters")
def _listing(shell: Shell, k: int | None) -> None:
    saved_clusters = explored.load(shell.settings)
    if k is not None or saved_clusters is None:
        with shell.progress("clusters") as report:
            jobs.ask(shell.settings, KIND, report, k=k or USUAL, who=who())
        saved_clusters = explored.load(shell.settings)
    parts = saved_clusters.parts if saved_clusters else ()
    _print_parts(shell, parts, {"assets": saved_clusters.assets if saved_clusters else 0})
    if saved_clusters is not None:
        _hints(shell, saved_clusters.k, len(parts), saved_clusters.changes)


@click.group(cls=Group, invoke_without_command=True, epilog=shown("attune clusters --k 30"))
@click.option("--k", type=K, help=f"Number of clusters to compute. Default: the stored clusters, or {USUAL}.")
@WORKSPACE
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
@click.pass_context
def command(context: click.Context, k: int | None, workspace: str | None, as_json: bool) -> None:
    """List clusters of similar images, with the most typical images of each; make, name and compare them."""
    if context.invoked_subcommand is None:
        context.invoke(_listing, k=k, workspace=workspace, as_json=as_json)
    elif k is not None or workspace is not None or as_json:
        raise click.UsageError("Options must come after the command. For example: `attune clusters make --k 30 --json`")


@attune_command(command, "make", example="attune clusters make --space colour --k 12")
@click.option("--space", default="final", show_default=True, help="Space to cluster: final, colour, taste, or layer:N.")
@click.option("--k", type=K, help="Number of clusters. Default: the number that agrees best with itself.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Seed of the samples.")
@click.option("--within", default="", metavar="RUN:N", help="Only the images of cluster N of clustering RUN.")
@ENGINE
def make(shell: Shell, space: str, k: int | None, seed: int, within: str, engine: str | None) -> None:
    """Make clusters of the pool, or of one cluster, and save them.

    A cluster that was there before keeps its number and its name.
    """
    with shell.progress("clusters") as report:
        done = ask(on_engine(shell, engine), KIND, report, k=k or 0, space=space, seed=seed, within=within, who=who())
    with reading(shell.settings) as session:
        saved = clusterings.find(session, done["clustering"])
    _show(shell, saved)
    if saved.row.agreement:
        tried = ", ".join(f"{number}: {value:.2f}" for number, value in saved.row.agreement.items())
        shell.hint(f"{saved.row.k} clusters agree best with themselves (adjusted Rand index by number: {tried}).")


@attune_command(command, "list", example="attune clusters list")
def list_(shell: Shell) -> None:
    """List the saved clusterings, the newest first."""
    with reading(shell.settings) as session:
        saved = [clusterings.find(session, row.id) for row in clusterings.listed(session)]
        made = origins.of(session, [one.row for one in saved])
    rows = [
        {
            "clustering": one.row.id,
            "space": one.row.space,
            "version": one.row.space_version,
            "older": made[one.row.id].older,
            "within": f"{one.row.within_id}:{one.row.within_number}" if one.row.within_id else "",
            "clusters": len(one.clusters),
            "loose": sum(_is_loose(cluster.stability) for cluster in one.clusters),
            "images": one.row.assets,
            "seed": one.row.seed,
            "made_by": one.row.made_by,
            "made_at": one.row.made_at,
        }
        for one in saved
    ]
    columns = ("clustering", "space", "within", "clusters", "loose", "images", "made by", "made at")
    told = [row | {"space": made[one.row.id].cell} for one, row in zip(saved, rows, strict=True)]
    cells = [[row[name.replace(" ", "_")] for name in columns] for row in told]
    shell.result({"clusterings": rows}, table(columns, cells))


@attune_command(command, "show", example="attune clusters show 3 7")
@click.argument("run", metavar="RUN", type=click.IntRange(min=1))
@click.argument("number", metavar="[N]", type=click.IntRange(min=1), required=False)
@click.option("--top", default=20, show_default=True, type=click.IntRange(1, 600), help="Images of cluster N.")
def show(shell: Shell, run: int, number: int | None, top: int) -> None:
    """Show clustering RUN, or the most typical images of its cluster N."""
    with reading(shell.settings) as session:
        saved = clusterings.find(session, run)
        if number is None:
            return _show(shell, saved)
        cluster = saved.cluster(number)
        keys = members.load(shell.settings, saved.row.file).of(cluster.place)
        ids = explored.names_of(session, keys.tolist())
    images = [ids[key] for key in keys.tolist() if key in ids][:top]
    value = {"clustering": run, "number": number, "name": cluster.name, "size": cluster.size}
    value |= {"stability": cluster.stability, "loose": _is_loose(cluster.stability), "typical": images}
    shell.result(value, table(("typical", "asset_id"), list(enumerate(images, 1))))


@attune_command(command, "compare", example="attune clusters compare 3 4")
@click.argument("first", metavar="RUN", type=click.IntRange(min=1))
@click.argument("second", metavar="RUN", type=click.IntRange(min=1))
def compare(shell: Shell, first: int, second: int) -> None:
    """Compare two clusterings: how far they agree, and where the images of each cluster are in the other."""
    from attune.labeler.spaces.compared import compare as compared

    found = compared(shell.settings, first, second)
    rows = [
        (one.number, one.name, one.size, one.same or "", ", ".join(f"{n} ({share:.0%})" for n, share in one.to))
        for one in found.clusters
    ]
    value: dict[str, Any] = {"images": found.images, "agreement": found.agreement}
    value["clusters"] = [
        {"number": one.number, "name": one.name, "size": one.size, "same": one.same, "overlap": one.overlap,
         "to": [{"number": number, "share": share} for number, share in one.to]}
        for one in found.clusters
    ]  # fmt: skip
    shell.result(value, table((f"cluster of {first}", "name", "images", f"same in {second}", "images are in"), rows))
    shell.hint(f"{plural(found.images, 'image')} in both. Agreement (adjusted Rand index): {found.agreement:.2f}.")


@attune_command(command, "name", example="attune clusters name 3 7 'Faces in the dark'")
@click.argument("run", metavar="RUN", type=click.IntRange(min=1))
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@click.argument("text", metavar="TEXT")
def name(shell: Shell, run: int, number: int, text: str) -> None:
    """Name cluster N of clustering RUN. The name stays when the clusters are made again. An empty TEXT removes it."""
    before = clusterings.rename(shell.settings, run, number, text)
    now = f"Cluster {number} is now {text.strip()!r}." if text.strip() else f"Cluster {number} has no name now."
    shell.result(
        {"clustering": run, "number": number, "name": text.strip(), "before": before},
        now + (f" It was {before!r}." if before else ""),
    )


@attune_command(command, "describe", example="attune clusters describe 3")
@click.argument("run", metavar="RUN", type=click.IntRange(min=1))
@click.argument("number", metavar="[N]", type=click.IntRange(min=1), required=False)
def describe(shell: Shell, run: int, number: int | None) -> None:
    """Find out what the images of each cluster of clustering RUN have in common; print it, of all or of cluster N.

    By experts' answers, by columns of the asset table, by the champions' scores, and in words.
    """
    from attune.labeler.spaces import descriptions
    from attune.labeler.spaces.description_words import figures, in_order, lift, sentence

    with reading(shell.settings) as session:
        saved = clusterings.find(session, run)
        names = {one.number: one.name for one in saved.clusters if number in (None, one.number)}
        if number is not None:
            saved.cluster(number)
    with shell.progress("describing") as report:
        done = jobs.ask(shell.settings, descriptions.KIND, report, clustering=run)
    with reading(shell.settings) as session:
        found = in_order(descriptions.of_clustering(session, run, number))
    fields = ("number", "kind", "name", "value", "share", "lo", "hi", "rest", "n", "titles", "p", "q")
    rows = [{field: getattr(one, field) for field in fields} | {"lift": lift(one)} for one in found]
    for row, one in zip(rows, found, strict=True):
        row |= {"sentence": sentence(one), "figures": figures(one)}
    did = _performance(shell, run, names)
    shell.result(done | {"descriptions": rows, "performance": did}, _told(names, rows, did))
    if done["no_phrases"]:
        shell.hint(done["no_phrases"])


def _performance(shell: Shell, run: int, names: dict[int, str]) -> list[dict[str, Any]]:
    """How the clusters of ``names`` performed on each canvas, within titles."""
    from attune.labeler.spaces import cluster_performance
    from attune.labeler.spaces.performance_words import confounding, figures, sentence

    found = cluster_performance.load(shell.settings, run)
    fields = ("number", "canvas", "grade", "titles", "titles_in", "estimate", "se", "shrunk", "lo", "hi", "p", "q",
              "share_other_way")  # fmt: skip
    return [
        {name: getattr(one, name) for name in fields}
        | {"sentence": f"{one.canvas}: {sentence(one)} {confounding(one)}", "figures": figures(one)}
        for one in (found.rows if found else ())
        if one.number in names
    ]


def _told(names: dict[int, str], described: list[dict[str, Any]], did: list[dict[str, Any]]) -> str:
    """What is said of each cluster, as paragraphs."""
    parts, rows = [], [*described, *did]
    for number, called in sorted(names.items()):
        said = [f"  {row['sentence']}" for row in rows if row["number"] == number] or ["  Nothing that differs."]
        parts.append("\n".join([f"Cluster {number}{f': {called}' if called else ''}", *said]))
    return "\n\n".join(parts)


@attune_command(command, "export", example="attune clusters export 3 --to clusters.parquet")
@click.argument("run", metavar="RUN", type=click.IntRange(min=1))
@click.option("--to", required=True, type=OUTPUT, help="File to write: .csv or .parquet.")
def export(shell: Shell, run: int, to: Path) -> None:
    """Write which image is in which cluster of clustering RUN to a file."""
    from attune.labeler.spaces.exported import export as exported

    rows = exported(shell.settings, run, to)
    shell.written(to, {"to": str(to), "rows": rows}, f"{plural(rows, 'image')} of clustering {run} written to {to}.")


def _show(shell: Shell, saved: Saved) -> None:
    parts = explored.parts_of(shell.settings, saved)
    with reading(shell.settings) as session:
        origin = origins.of(session, [saved.row])[saved.row.id]
    value = {"clustering": saved.row.id, "space": saved.row.space, "assets": saved.row.assets, "asked": saved.row.k}
    value |= {"version": origin.version, "older": origin.older, "changes": saved.row.changes}
    _print_parts(shell, parts, value)
    if origin.note:
        shell.hint(origin.note)
    _hints(shell, saved.row.k, len(parts), saved.row.changes)


def _print_parts(shell: Shell, parts: Any, value: dict[str, Any]) -> None:
    value["clusters"] = [
        {"number": one.number, "name": one.name, "size": one.size, "stability": one.stability, "loose": one.loose,
         "typical": list(one.asset_ids[:SHOWN])}
        for one in parts
    ]  # fmt: skip
    rows = [
        (one.number, one.name, one.size, _stability(one.stability), ", ".join(one.asset_ids[:SHOWN])) for one in parts
    ]
    shell.result(value, table(("cluster", "name", "images", "stability", "most typical"), rows))


def _hints(shell: Shell, asked: int, made: int, changes: Any) -> None:
    for sentence in [*fewer(asked, made), *changed(changes)]:
        shell.hint(sentence)


def _is_loose(stability: float | None) -> bool:
    return stability is not None and stability < explored.LOOSE


def _stability(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} {LOOSE}" if _is_loose(value) else f"{value:.2f}"
