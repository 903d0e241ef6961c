"""`attune audit`: ask for questions that only measure."""

from __future__ import annotations

import click

from attune.labeler.attributes import audit_batches
from attune.labeler.cli.shell import Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.labeler.views import measuring


@click.group(cls=Group)
def _audit() -> None:
    """Holds the one command; `attune` lists it by itself."""


@attune_command(_audit, "audit", example="attune audit serious --size 60")
@click.argument("name")
@click.option("--size", default=60, show_default=True, type=int, help="How many fresh audit questions to put in.")
@click.option("--expert", "experts", multiple=True, help="Whose queues: an e-mail address, more than once if need be.")
@click.option("--no-wait", is_flag=True, help="Only ask; do not wait for the round that draws them.")
def audit(shell: Shell, name: str, size: int, experts: tuple[str, ...], no_wait: bool) -> None:
    """Measure the probe of NAME: put audit questions first in the experts' queues, who do not see that they are some.

    They are drawn with known probabilities from titles that nothing is trained on.
    """
    audit_batches.request(shell.settings, name, size, experts)
    with shell.progress(f"audit {name}") as report:
        done = jobs.ask(shell.settings, "learn", report, wait=not no_wait, attribute=name)
    found = measuring.of(shell.settings, name)
    width = found.width_after(found.waiting)
    said = f"about ±{width / 2:.2f}" if width is not None else "too wide to say"
    where = f"in the queues of {', '.join(experts)}" if experts else "first in the experts' queues"
    text = (
        f"{name}: {size} audit questions asked for; {found.waiting} wait {where}, {found.answered} are answered. With "
        f"all of them the interval will be {said}."
        if "job" not in done
        else f"{name}: {size} audit questions asked for; the round {done['job']} draws them."
    )
    shell.result(found.to_dict() | {"size": size, "experts": list(experts), "round": done}, text)
