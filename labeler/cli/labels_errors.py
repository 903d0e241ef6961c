"""`attune labels errors`: the answers that are probably wrong, most likely first."""

from __future__ import annotations

import click

from attune.labeler.answers import label_errors
from attune.labeler.cli.label_group import command as labels
from attune.labeler.cli.shell import Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.exchange.export_tables import write_csv
from attune.models.errors import DataError

SHOWN = 20


@attune_command(labels, "errors", example="attune labels errors serious --limit 50 --csv")
@click.argument("name")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with one row per answer.")
@click.option(
    "--limit", type=click.IntRange(1, label_errors.MOST), default=SHOWN, show_default=True, help="Number of answers."
)
def errors(shell: Shell, name: str, as_csv: bool, limit: int) -> None:
    """List the suspected label errors of NAME, least likely right first."""
    if as_csv and shell.json:
        raise DataError("Got --csv and --json. Use only one of them.")
    rows = label_errors.table(shell.settings, name, limit)
    if as_csv:
        click.echo(write_csv(rows, label_errors.COLUMNS), nl=False)
        return
    shell.result(
        {"attribute": name, "errors": rows},
        table(
            ("asset_id", "expert", "answer", "probe expects", "probe, %", "others"),
            [
                (one["asset_id"], one["expert"], one["answer"], one["expected"], round(100 * one["probe_probability"]),
                 one["others"])
                for one in rows
            ],
        )
        if rows
        else f"No suspected label errors in {name}. The list is made again after every 10 answers.",
    )  # fmt: skip
    if rows:
        shell.hint(f"To confirm, correct or ask again, open {shell.settings.web_address}/attributes/{name}/errors")
