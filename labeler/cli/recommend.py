"""`attune recommend`: titles for viewers from a file of histories; and erase what was kept."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from attune.labeler.cli.erasing import check_whose
from attune.labeler.cli.shell import WORKSPACE, Group, Shell, shown, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.recommend import histories
from attune.labeler.records.session import reading
from attune.models.errors import DataError
from attune.models.files.inputs import read_user_file
from attune.models.recommend import history_rows
from attune.models.text import plural


@click.group()
def _private() -> None:
    """Hold the recommendation, which the group does when no command of its own is given."""


@attune_command(_private, "recommend")
def _recommend(shell: Shell, history: Path, new_only: bool, top: int, user: str | None, keep: int | None) -> None:
    with reading(shell.settings) as session:
        titles = histories.titles_by_id(session)
    content = read_user_file(history, "--history")
    read = history_rows.read(content, titles)
    _name_left_out(shell, read.left_out)
    if not read.rows:
        raise DataError("No row of the history can be used. Expected user and id, a title_id or asset_id of the pool.")
    if user is not None:
        read = history_rows.ReadHistory([row for row in read.rows if row.user == user.strip()], read.left_out)
        if not read.rows:
            raise DataError(f"--user: the history has no usable row of {user[:60]!r}. Give a user as the history does.")
    if keep is not None:
        kept = histories.keep(shell.settings, read, keep)
        shell.hint(
            f"{plural(kept, 'like')} kept for {plural(keep, 'day')}. To erase: `attune recommend erase --everybody`"
        )
    from attune.labeler.recommend.recommending import recommend  # here: it loads scikit-learn, and --help need not

    found = recommend(shell.settings, read, top, new_only)
    value = asdict(found) | {"left_out": dict(read.left_out)}
    cells = [
        (viewer.user, one.title_id, f"{one.score:.3f}", ", ".join(one.because))
        for viewer in found.viewers
        for one in viewer.titles
    ]
    shell.result(value, table(("user", "title_id", "score", "because they liked"), cells))
    for viewer in found.viewers:
        if viewer.why:
            shell.hint(f"{viewer.user}: {viewer.why}")
    if found.kept_viewers < found.fewest_viewers:
        shell.hint(
            f"Popular titles are not told: the histories of {plural(found.kept_viewers, 'viewer')} are kept, and it "
            f"takes {found.fewest_viewers}. To keep these: `attune recommend --history FILE --keep 30`"
        )
    if found.space == "final":
        shell.hint("By how the posters look: no taste space is in use. `attune spaces learn taste --labels genre`")


def _name_left_out(shell: Shell, left_out: Any) -> None:
    for why, count in left_out.items():
        shell.hint(f"{plural(count, 'row')} left out: {why}.")


@click.group(
    cls=Group, invoke_without_command=True, epilog=shown("attune recommend --history watched.csv --new-only --top 10")
)
@click.option(
    "--history",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV or Parquet file with user and id (title_id or asset_id); rating and timestamp optional.",
)
@click.option("--new-only", is_flag=True, help="Leave out titles that five kept viewers liked, and those of the file.")
@click.option("--top", default=10, show_default=True, type=click.IntRange(1, 500), help="Titles for each user.")
@click.option("--user", help="Only this user of the history.")
@click.option("--keep", type=click.IntRange(1, histories.MOST_DAYS), metavar="DAYS", help="Keep the likes, hashed.")
@WORKSPACE
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
@click.pass_context
def command(context: click.Context, /, history: Path | None, **options: Any) -> None:
    """Recommend titles to viewers from a file of what they watched, by the posters, with the reason.

    The history is personal data. It is held for this command only, unless you add --keep.
    """
    if context.invoked_subcommand is not None:
        if history is not None or any(value for name, value in options.items() if name != "top"):
            raise click.UsageError(
                "Options must come after the command. For example: `attune recommend erase --user u17 --json`"
            )
        return
    if history is None:
        raise click.UsageError("--history is missing. Give a CSV or Parquet file with the columns user and id.")
    context.invoke(_recommend, history=history, **options)


@attune_command(command, "erase", example="attune recommend erase --user u17")
@click.option("--user", help="This user, as the history named them.")
@click.option("--everybody", is_flag=True, help="All users.")
def erase(shell: Shell, user: str | None, everybody: bool) -> None:
    """Erase the histories that were kept, of one user or of everybody.

    There is no way back.
    """
    check_whose("histories", "recommend", "user", user, everybody)
    gone = histories.erase(shell.settings, user)
    shell.result({"erased": gone}, f"{plural(gone, 'like')} erased.")
