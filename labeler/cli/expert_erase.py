"""`attune expert erase` and `erased`: a person's data is taken out, and out again of what a backup brought back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attune.labeler.cli.expert_group import command
from attune.labeler.cli.shell import Shell, somebody_reads, stop, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.models.errors import DataError, JobError, consequence
from attune.models.text import plural

if TYPE_CHECKING:
    from attune.labeler.people.erase import Concerned
    from attune.labeler.records.schema import Job

GOES = (
    "Goes: name, address, login, sessions, login links, the user in Label Studio and its API access, rows of the "
    "access log, notices, comments and notes."
)
STAYS = (
    "Stays: that somebody promoted, changed or asked for something, under a random key in place of the person. Backups "
    "from before still hold everything, and API tokens belong to nobody: look at `attune token list`."
)
AFTER = "`attune restore BACKUP --erased {list}` erases the person again."


@attune_command(command, "erase", example="attune expert erase ana@studio.example")
@click.argument("email")
@click.option("--answers", "drops", is_flag=True, help="Exclude the person's answers, too. Default: they still count.")
@click.option("--yes", is_flag=True, help="Do not ask first. Scripts need it.")
def erase(shell: Shell, email: str, drops: bool, yes: bool) -> None:
    """Erase the personal data of EMAIL, here and in Label Studio. This cannot be undone.

    The answers stay, as those of an expert who left, because probes learned from them. The command says what goes and
    what stays, and asks first. Backups from before still hold the data.
    """
    from attune.labeler.people import erase as erasure
    from attune.labeler.people import erased_list

    found = erasure.concerned(shell.settings, email)
    _agree(shell, found, drops, yes)
    job = erasure.hand_over(shell.settings, erasure.ask(shell.settings, found.email, drops, who=who()), wait=True)
    place = shell.settings.workspace / erased_list.NAME
    shell.result({"state": job.state, "job": job.id, **job.result, "list": str(place)}, _text(job))
    for sentence in job.result.get("still_there", ()):
        shell.hint(sentence)
    shell.hint(f"Backups from before still hold the data. Keep {place} beside them: {AFTER.format(list=place)}")
    _end_unless_done([job])


def _agree(shell: Shell, found: Concerned, drops: bool, yes: bool) -> None:
    what = "no longer count" if drops else "still count, because probes learned from them"
    given = f"{plural(sum(found.answers.values()), 'answer')} to {plural(len(found.answers), 'question')}"
    answers = f"{given}: they stay without a name, and {what}."
    if yes:
        return
    if not somebody_reads():
        raise DataError(
            f"{found.email} has {answers} Nothing was erased, because nobody is at a terminal to agree. To erase in a "
            "script, add --yes."
        )
    for line in (f"{found.name} <{found.email}>", GOES, STAYS, f"Answers: {answers}"):
        shell.hint(line)
    if not click.confirm("Erase this person? It cannot be undone.", err=True):
        stop("attune: Nothing was erased.", consequence(DataError).exit_code)


def _text(job: Job) -> str:
    if job.state != "done":
        why = job.error or "The job waits for a worker."
        return f"Not erased yet. {why} Access to the console has ended. Attune retries every minute."
    done = job.result
    return (
        f"Erased. In its place: {done['expert']}. {plural(done.get('deleted', 0), 'row')} deleted, "
        f"{plural(done.get('emptied', 0), 'text')} emptied, {plural(done.get('replaced', 0), 'row')} changed, "
        f"{plural(done.get('log_rows', 0), 'row')} of the access log blanked."
    )


@attune_command(command, "erased", example="attune expert erased --again erased.json")
@click.option(
    "--again",
    "source",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Erase again everyone whom this list of another workspace names and who is back here.",
)
def erased(shell: Shell, source: Path | None) -> None:
    """List who was erased, by the random key that stands in the place of each person."""
    from attune.labeler.people import erase_again, erased_list

    again, stays = erase_again.again(shell.settings, source) if source else ([], "")
    entries = erased_list.of(shell.settings)
    rows = [(one.alias, one.at[:10], "count" if one.answers_left else "excluded") for one in entries]
    value = {"erased": [{"alias": one.alias, "at": one.at, "answers_left": one.answers_left} for one in entries]}
    shell.result({**value, "again": len(again)}, table(("in place of the person", "erased", "answers"), rows))
    if source:
        _say_again(shell, again, stays)


def _say_again(shell: Shell, again: list[Job], stays: str) -> None:
    who = "1 person" if len(again) == 1 else f"{len(again)} people"
    shell.hint(f"{who} of the list {'was' if len(again) == 1 else 'were'} here.")
    for job in again:
        shell.hint(_text(job))
    if stays:
        shell.hint(stays)
    _end_unless_done(again)


def _end_unless_done(asked: list[Job]) -> None:
    """A script must not take an erasure for done that waits."""
    if any(job.state != "done" for job in asked):
        sys.exit(consequence(JobError).exit_code)
