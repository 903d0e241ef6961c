"""`attune batch`, `attune learn`, `attune sync`: the loop by hand."""

from __future__ import annotations

from typing import Any

import click

from attune.labeler.attributes import attributes
from attune.labeler.cli.shell import Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.labeler.queues.asking import LEAST_READY
from attune.labeler.records.session import reading
from attune.models.evaluation.metrics import in_words
from attune.models.text import plural


@click.group(cls=Group)
def _loop() -> None:
    """Hold the three commands, which `attune` lists directly."""


_no_wait = click.option("--no-wait", is_flag=True, help="Only start the job. Do not wait for the workers.")


def _ask(shell: Shell, kind: str, label: str, no_wait: bool, **arguments: Any) -> dict[str, Any]:
    if arguments.get("attribute"):
        with reading(shell.settings) as session:
            attributes.find(session, arguments["attribute"])
    with shell.progress(label) as report:
        return jobs.ask(shell.settings, kind, report, wait=not no_wait, **arguments)


def _round(shell: Shell, done: dict[str, Any]) -> None:
    metric = done.get("average_precision") or {}
    if "job" in done:
        text = f"Started as job {done['job']}."
    elif "run" not in done:
        text = f"{done['attribute']}: {done['state']}."
    else:
        figure = (
            f"AP {in_words(metric)} on {plural(metric['n'], 'audit answer')}"
            if metric.get("value") is not None
            else "no quality estimate yet: " + (metric.get("reason") or "too few audit answers")
        )
        text = (
            f"{done['attribute']}: run {done['run']} on {plural(done['answers'], 'answer')}, "
            f"{plural(done['open'], 'open task')}; {figure}."
        )
        text += "".join(f"\n  {email}: {link}" for email, link in done.get("queues", {}).items())
    shell.result(done, text)
    for warning in done.get("warnings", ()):
        shell.hint(warning)
    if done.get("unanswered"):
        shell.hint("A run with an unanswered class can only be promoted as a draft: `attune probes promote … --draft`")
    if "run" in done and not done.get("queues"):
        shell.hint(f"No expert has a queue yet. Add one: `attune expert add EMAIL --attribute {done['attribute']}`")


@attune_command(_loop, "batch", example="attune batch serious --size 40")
@click.argument("name")
@click.option(
    "--size",
    default=40,
    show_default=True,
    type=click.IntRange(1, 1000),
    help=f"Number of open tasks for each queue, {LEAST_READY} at least.",
)
@_no_wait
def batch(shell: Shell, name: str, size: int, no_wait: bool) -> None:
    """Choose the next assets to ask about for NAME, and add them to every queue."""
    _round(shell, _ask(shell, "learn", f"batch {name}", no_wait, attribute=name, size=size))
    if size < LEAST_READY:
        shell.hint(f"Each queue gets {LEAST_READY} open tasks, not {size}: with fewer, an expert could have to wait.")


@attune_command(_loop, "learn", example="attune learn serious")
@click.argument("name")
@_no_wait
def learn(shell: Shell, name: str, no_wait: bool) -> None:
    """Train the probe of NAME on all answers, and reorder the queues."""
    _round(shell, _ask(shell, "learn", f"learn {name}", no_wait, attribute=name))


@attune_command(_loop, "sync", example="attune sync serious --all")
@click.argument("name", required=False)
@click.option(
    "--all", "whole", is_flag=True, help="Compare every task, not only those that changed since the last sync."
)
@click.option(
    "--accept-deleted",
    is_flag=True,
    help="Delete the answers here, too, if most answers of a queue were deleted in Label Studio.",
)
@_no_wait
def sync(shell: Shell, name: str | None, whole: bool, accept_deleted: bool, no_wait: bool) -> None:
    """Read the answers to NAME, or to all attributes, from Label Studio into the records."""
    more = {"accept_deleted": True} if accept_deleted else {}
    done = _ask(shell, "sync", "sync", no_wait, attribute=name, whole=whole or accept_deleted, **more)
    text = (
        f"Started as job {done['job']}."
        if "job" in done
        else (
            f"{plural(done['queues'], 'queue')} read: {plural(done['changed'], 'answer')} new or changed, "
            f"{done['deleted']:,} deleted, {done['left_out']:,} could not be read."
        )
    )
    shell.result(done, text)
    for why in done.get("failed", {}).values():
        shell.hint(why)
    if done.get("strays"):
        suffix = f" {name}" if name else ""
        shell.hint(
            f"{plural(len(done['strays']), 'answer')} in Label Studio not counted. To see why: `attune labels "
            f"left-out{suffix}`"
        )
