"""`attune probes`: what is published and how it compares; the moves and the gates are in rooms of their own."""

from __future__ import annotations

import click

from attune.labeler.catalog import listing
from attune.labeler.catalog import restore_files as healing
from attune.labeler.cli import probe_gates, probe_moves  # noqa: F401 - they add their commands to the group
from attune.labeler.cli.probe_group import command, figure
from attune.labeler.cli.shell import Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.labeler.views import drift
from attune.models.catalog.manifest import CHAMPION


@attune_command(command, "list", example="attune probes list serious")
@click.argument("name", required=False)
@click.option(
    "--candidates",
    default=listing.CANDIDATES,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="Number of newest candidates to list.",
)
def list_(shell: Shell, name: str | None, candidates: int) -> None:
    """List every attribute's probes, or the versions and newest candidates of NAME."""
    if name is None:
        overview_page = listing.overview(shell.settings)
        cells = [
            (
                row["attribute"],
                row["aliases"].get(CHAMPION),
                len(row["versions"]),
                row["newest"],
                row["answers"],
                figure(row["average_precision"]),
            )
            for row in overview_page
        ]
        columns = ("attribute", "champion", "versions", "newest run", "answers", "AP of the champion")
        shell.result({"probes": overview_page}, table(columns, cells))
        return
    rows_page = listing.versions(shell.settings, name, candidates)
    rows = [
        (
            row["version"],
            f"{row['state']}, draft" if row["draft"] else row["state"],
            ", ".join(row["aliases"]),
            figure(row["average_precision"]),
            row["average_precision"].get("n"),
            row["answers"],
            row["created_at"][:19],
        )
        for row in rows_page["versions"]
    ]
    shell.result(
        rows_page, table(("version", "state", "aliases", "AP", "n", "answers", "created (UTC)"), rows, title=name)
    )
    if not rows:
        shell.hint(f"No runs yet. Train a probe: `attune learn {name}`")


@attune_command(command, "compare", example="attune probes compare serious 3 latest")
@click.argument("name")
@click.argument("a")
@click.argument("b")
def compare(shell: Shell, name: str, a: str, b: str) -> None:
    """Compare versions A and B of NAME, also on the same audit answers."""
    comparison = listing.compare(shell.settings, name, a, b)
    first, second = comparison["versions"]
    rows = [("answers", first["answers"], second["answers"])]
    for metric in sorted(first["metrics"] | second["metrics"]):
        rows.append((metric, *(figure(one["metrics"].get(metric, {})) for one in (first, second))))
    columns = ("metric", f"version {first['version']}", f"version {second['version']}")
    shell.result(comparison, table(columns, rows, title=f"{name}: metrics as recorded at each run"))
    paired = comparison["difference"]
    difference_text = (
        f"{figure(paired)} (n = {paired['n']})" if paired["value"] is not None else f"unknown: {paired['reason']}"
    )
    shell.hint(
        f"Today on the same audit answers: average precision of {first['version']} minus that of "
        f"{second['version']}: {difference_text}"
    )


@attune_command(command, "heal", example="attune probes heal")
def heal(shell: Shell) -> None:
    """Check every catalog file and restore missing or changed ones."""
    done = healing.restore(shell.settings, thorough=True)
    written = [*done["versions"], *(f"aliases of {name}" for name in done["aliases"])]
    shell.result(done, f"Restored: {', '.join(written)}." if written else "Every catalog file is there and unchanged.")


@attune_command(command, "drift", example="attune probes drift serious")
@click.argument("name")
@click.option("--no-look", is_flag=True, help="Only show the last result.")
def drift_(shell: Shell, name: str, no_look: bool) -> None:
    """Measure the drift of new images for the champion of NAME."""
    if not no_look:
        with shell.progress(f"drift {name}") as report:
            jobs.ask(shell.settings, "drift", report, attribute=name)
    drift_page = drift.drift(shell.settings, name)
    rows = [
        (
            shift.name,
            f"{shift.psi:.2f} [{shift.psi_lo:.2f}, {shift.psi_hi:.2f}]",
            f"{shift.psi_by_chance:.2f}",
            f"{shift.ks:.2f} [{shift.ks_lo:.2f}, {shift.ks_hi:.2f}]",
            f"{shift.p_value:.4f}",
            "drifted" if shift.alarmed else "",
        )
        for shift in drift_page.shifts
    ]
    columns = ("class", "stability index", "by chance", "largest gap (KS)", "p", "alarm")
    shell.result(
        drift.to_dict(drift_page), table(columns, rows, title=drift_page.sentence) if rows else drift_page.sentence
    )
    if drift_page.state == "drifted":
        shell.hint(f"To audit the current pool: `{drift_page.audit_command}`")
