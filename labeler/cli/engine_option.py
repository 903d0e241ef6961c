"""The option by which a command says what does its bulk work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from attune.labeler.cli.progress_bars import Report
from attune.labeler.cli.shell import Shell
from attune.labeler.settings.values import ENGINES
from attune.models.engines import ray_start

ENGINE = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="What does the work: Attune's workers, or Ray Data. Default: ATTUNE_ENGINE, or workers.",
)


def on_engine(shell: Shell, engine: str | None) -> Shell:
    """``shell`` with the engine that the command names. Raises ExtraNotInstalled for Ray where it is not there."""
    chosen = shell if engine is None else replace(shell, settings=replace(shell.settings, engine=engine))
    if chosen.settings.engine == "ray":
        ray_start.check_installed()
    return chosen


def ask(shell: Shell, kind: str, report: Report, **arguments: Any) -> dict[str, Any]:
    """The job's result: from the workers where there are any; on Ray this process is the one that asks it."""
    from attune.labeler.jobs import jobs  # a command's help loads no queue

    if shell.settings.engine == "ray":
        return jobs.run_here(shell.settings, kind, report, **arguments)
    return jobs.ask(shell.settings, kind, report, **arguments)
