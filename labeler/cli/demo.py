"""`attune demo`: everything up with the sample catalogue, for a newcomer or, with --check, for a machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import click

from labeler import settings as reader
from labeler.cli import place
from labeler.cli.bars import bars
from labeler.cli.shell import WORKSPACE, shown
from labeler.settings import Settings
from labeler.supervise import Stack, free_ports
from models.errors import SettingsError


@click.command("demo", epilog=shown("attune demo --workspace ./look-around"))
@click.option(
    "--check", is_flag=True, help="Without a person: simulated experts answer; the last line is one JSON object."
)
@click.option(
    "--answers",
    default=120,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Simulated answers an attribute; the demo's console adds 40 to an audit batch.",
)
@click.option("--keep", is_flag=True, help="With --check: keep the temporary workspace.")
@WORKSPACE
@click.option("--json", "as_json", is_flag=True, help="Nothing changes: the check prints JSON in any case.")
def command(workspace: str | None, check: bool, answers: int, keep: bool, as_json: bool) -> None:
    """Start everything with the sample catalogue: drawings, simulated experts, one published probe."""
    signal.signal(signal.SIGTERM, interrupted)
    if check:
        _check(workspace, answers, keep)
    else:
        _demo(workspace, answers)


def interrupted(*_: object) -> None:
    """SIGTERM stops as Ctrl-C does: by itself it would end this process alone and leave all that it started."""
    raise KeyboardInterrupt


def _settings(workspace: str | Path | None, keep_ports: bool = False) -> Settings:
    from labeler.demo import prepare

    first = reader.build(workspace=workspace)
    _refuse_others(first)
    first.workspace.mkdir(parents=True, exist_ok=True)
    reader.keep(first.workspace, **prepare.encoder_settings())
    return free_ports(reader.build(workspace=first.workspace), keep_ports)


def _refuse_others(settings: Settings) -> None:
    """The demo changes the encoder, so it must not begin where somebody keeps images of their own."""
    from labeler.demo import prepare

    kept = Path(reader.kept(settings.workspace).get("pretrained", "")).name
    if place.is_there(settings) and kept != Path(prepare.encoder_settings()["pretrained"]).name:
        raise SettingsError(
            f"{settings.workspace} is a workspace of your own, and the demo would change its encoder. Give the demo a "
            "folder to itself: attune demo --workspace ./look-around"
        )


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _check(workspace: str | None, answers: int, keep: bool) -> None:
    from labeler.demo.check import check

    set_outside = workspace or os.environ.get("ATTUNE_WORKSPACE")
    folder = Path(set_outside) if set_outside else Path(tempfile.mkdtemp(prefix="attune-demo-check-"))
    started = time.monotonic()
    try:
        with Stack(_settings(folder), _tell) as stack, bars(lines=True) as progress:
            found = check(stack.settings, progress, answers)
    except BaseException:
        click.echo(f"demo-check failed; its workspace with every part's log is kept in {folder}", err=True)
        raise
    if not set_outside and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    found["seconds_with_start_and_stop"] = round(time.monotonic() - started, 1)
    click.echo(json.dumps(found))


def _demo(workspace: str | None, answers: int) -> None:
    from labeler.demo import page, prepare, run

    with Stack(_settings(workspace, keep_ports=True), _tell) as stack:
        finished, waiting = "serious-expression", "romance"
        samples = prepare.samples()
        version = run.published(stack.settings, finished)
        if version is None:
            with bars(lines=True) as progress:
                drawn = run.load(stack.settings, progress)
                run.people_and_queues(stack.settings, [samples[finished]], prepare.SIMULATED, progress)
                run.people_and_queues(stack.settings, [samples[waiting]], [prepare.NEWCOMER], progress)
                report = progress("Simulated experts answer: serious-expression")
                version = run.label(stack.settings, drawn, finished, answers + run.MEASURING, report, run.MEASURING)
                run.publish(stack.settings, finished, version, "the demo's simulated experts are done")
        click.echo(page.text(stack.settings, finished, version, waiting))
        stack.wait()
