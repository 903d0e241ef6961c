"""`attune audit`: ask for questions that only measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from attune.labeler.attributes import audit_batches
from attune.labeler.cli.shell import Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.labeler.views import measuring
from attune.labeler.views.measuring import Measuring


@click.group(cls=Group)
def _audit() -> None:
    """Hold the one command, which `attune` lists directly."""


@attune_command(_audit, "audit", example="attune audit serious --size 60")
@click.argument("name")
@click.option(
    "--size",
    default=60,
    show_default=True,
    type=int,
    help="Number of new audit answers to request. Where fewer images are left, it requests these.",
)
@click.option(
    "--expert",
    "experts",
    multiple=True,
    help="Email address of the expert who answers. Repeat the option for more. Default: every expert.",
)
@click.option(
    "--no-wait", is_flag=True, help="Only request the answers. Do not wait for the run that draws the images."
)
def audit(shell: Shell, name: str, size: int, experts: tuple[str, ...], no_wait: bool) -> None:
    """Request audit answers for NAME.

    Attune draws images at random from reserved titles. They come mixed with the next tasks of the queues, over several
    runs. Experts cannot see which tasks are audits.
    """
    granted = audit_batches.request(shell.settings, name, size, experts).size
    with shell.progress(f"audit {name}") as report:
        done = jobs.ask(shell.settings, "learn", report, wait=not no_wait, attribute=name)
    measurement = measuring.of(shell.settings, name)
    shell.result(
        measurement.to_dict() | {"size": granted, "experts": list(experts), "round": done},
        f"{name}: {audit_batches.requested(size, granted)} {_what_follows(measurement, experts, done)}",
    )


def _what_follows(measurement: Measuring, experts: tuple[str, ...], done: Mapping[str, Any]) -> str:
    if "job" in done:
        return f"The run {done['job']} draws the images."
    if "rounds" not in done:  # another learner was at work: it goes round again, and sees the request
        return "Another run was in progress, and the one after it draws the images."
    width = measurement.width_after(measurement.waiting)
    width_text = f"about ±{width / 2:.2f}" if width is not None else "too wide to estimate"
    where = f"in the queues of {', '.join(experts)}" if experts else "in the experts' queues"
    return (
        f"{measurement.waiting} audit tasks are {where} or coming next; {measurement.answered} are answered. With all "
        f"of them the interval will be {width_text}."
    )
