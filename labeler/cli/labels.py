"""`attune labels`: an attribute's labels out to a file, and a labelled set in."""

from __future__ import annotations

from pathlib import Path

import click

from attune.labeler.answers import totals
from attune.labeler.attributes import attributes
from attune.labeler.cli import labels_errors, labels_left_out  # noqa: F401 - they add their commands to the group
from attune.labeler.cli.label_group import command
from attune.labeler.cli.shell import OUTPUT, Shell, stop, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.exchange import export_files, import_labels
from attune.labeler.exchange.import_files import Columns
from attune.labeler.exchange.import_plan import Plan, in_words
from attune.labeler.records.session import reading
from attune.models.errors import DataError, consequence
from attune.models.files.inputs import read_user_file
from attune.models.files.outputs import write_user_file
from attune.models.text import plural


@attune_command(command, "export", example="attune labels export serious --to serious.csv")
@click.argument("name")
@click.option("--to", "to", required=True, type=OUTPUT, help="FILE.csv, .parquet or .json.")
@click.option(
    "--format", "kind", type=click.Choice(export_files.FORMATS), help="File format, if the name does not show it."
)
@click.option("--agreed", is_flag=True, help="One row per image, with its label and label weight.")
def export(shell: Shell, name: str, to: Path, kind: str | None, agreed: bool) -> None:
    """Export answers or labels of NAME to a file."""
    exported = export_files.export(shell.settings, name, export_files.format_of(to, kind), agreed)
    write_user_file(to, exported.content)
    what = "images" if agreed or kind == export_files.STUDIO else "answers"
    value = {"attribute": name, "file": str(to), "rows": exported.rows, "bytes": len(exported.content)}
    with reading(shell.settings) as session:
        removed = totals.on_removed(session, attributes.find(session, name).id)
    shell.written(to, value | {"on_removed": removed}, f"{exported.rows:,} {what} of {name} were written to {to}.")
    if removed:
        shell.hint(
            f"{plural(removed, 'more answer', 'are')} on images that were removed from the pool, and not in the file. "
            "Pages count them. To export them, add the images again."
        )


@attune_command(command, "import", example="attune labels import serious old-labels.csv --dry-run")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--asset-column", help="Column with the asset id.  [default: asset_id]")
@click.option("--expert-column", help="Column with the expert's email address.  [default: expert]")
@click.option("--class-column", help="Column with the class, unsure or skip.  [default: class, value or label]")
@click.option("--answered-at-column", help="Column with the time of the answer.  [default: answered_at, if any]")
@click.option(
    "--expert", "default_expert", metavar="EMAIL", help="Email address of the expert for rows that name no expert."
)
@click.option("--create-experts", is_flag=True, help="Record unknown experts, without a login or a queue.")
@click.option("--dry-run", is_flag=True, help="Only show the result. Import nothing.")
def import_(
    shell: Shell,
    name: str,
    file: Path,
    asset_column: str | None,
    expert_column: str | None,
    class_column: str | None,
    answered_at_column: str | None,
    default_expert: str | None,
    create_experts: bool,
    dry_run: bool,
) -> None:
    """Import labels from FILE (CSV, Parquet, JSON, or Label Studio's JSON) into NAME as answers."""
    columns = Columns(asset_column, expert_column, class_column, answered_at_column, default_expert)
    arguments = (shell.settings, name, read_user_file(file), columns, create_experts)
    plan = import_labels.preview(*arguments) if dry_run else import_labels.import_labels(*arguments, who=who())
    rows = [("would be imported" if dry_run else "imported", action, count) for action, count in plan.counts.items()]
    rows += [("skipped", in_words(reason), count) for reason, count in plan.reasons.items()]
    shell.result({"attribute": name, "dry_run": dry_run} | plan.to_dict(), table(("", "answers", "rows"), rows))
    _explain(shell, name, plan)
    if plan.empty:
        skipped, went = plural(len(plan.left_out), "row"), "would be" if dry_run else "was"
        stop(
            f"attune: Nothing {went} imported: {skipped} of {file.name} skipped, and there are no others. Correct the "
            "file, then run the command again.",
            consequence(DataError).exit_code,
        )


def _explain(shell: Shell, name: str, plan: Plan) -> None:
    if plan.reserved:
        shell.hint(
            f"{plural(plan.reserved, 'answer', 'are')} on images of reserved titles: kept, but no probe trains on them."
        )
    if plan.newcomers:
        shell.hint(
            f"These experts have no login: {', '.join(plan.newcomers)}. To give an expert a login: "
            "`attune expert add EMAIL`"
        )
    if plan.whole:
        shell.hint(f"{plan.whole:,} ids such as 7.0 were read as whole numbers such as 7, as in the pool.")
    for number, reason, detail in plan.left_out[:5]:
        shell.hint(f"Skipped {plan.place(number)}: {plan.why(reason)}: {detail}".rstrip(": "))
    if len(plan.left_out) > 5:
        shell.hint(f"… and {len(plan.left_out) - 5} more. To list every row, add --json.")
    if "unknown expert" in plan.reasons:
        shell.hint("To record unknown experts, add --create-experts. For rows that name no expert, add --expert EMAIL.")
    if plan.counts["new"] or plan.counts["changed"]:
        shell.hint(f"To train on them now: `attune learn {name}`")
