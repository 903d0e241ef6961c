"""`attune demo`: everything up with the sample catalogue, for a newcomer or, with --check, for a machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import requests
from redis.exceptions import RedisError

from attune.labeler import settings as reader
from attune.labeler.cli import workspace_check
from attune.labeler.cli.progress_bars import bars
from attune.labeler.cli.shell import WORKSPACE, shown
from attune.labeler.services import Stack, free_ports
from attune.labeler.services.process_runner import open_log
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError, ServiceDown, SettingsError
from attune.models.reasons import reason


@click.command("demo", epilog=shown("attune demo --workspace ./look-around"))
@click.option(
    "--check", is_flag=True, help="Run without a person: simulated experts answer. The last line is a JSON object."
)
@click.option(
    "--answers",
    default=120,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Number of simulated answers for each attribute. Without --check, 40 more go into an audit.",
)
@click.option("--keep", is_flag=True, help="With --check: keep the temporary workspace.")
@WORKSPACE
@click.option("--json", "as_json", is_flag=True, help="No effect: the check always prints JSON.")
def command(workspace: str | None, check: bool, answers: int, keep: bool, as_json: bool) -> None:
    """Start everything with the sample images, simulated experts and one published probe."""
    signal.signal(signal.SIGTERM, interrupted)
    with in_words(workspace):
        if check:
            _check(workspace, answers, keep)
        else:
            _demo(workspace, answers)


@contextmanager
def in_words(workspace: str | None) -> Iterator[None]:
    """Any error as a sentence with the next command; what only a developer can read goes into ``logs/demo.log``."""
    try:
        yield
    except (AttuneError, click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except (requests.RequestException, RedisError) as error:
        raise ServiceDown(
            "A service of Attune stopped answering during the demo. Run the same command again to continue. To "
            "test each service: `attune doctor`"
        ) from error
    except OSError as error:
        where = error.filename or workspace or "the workspace"
        raise ServiceDown(
            f"The demo stopped at {where}: {reason(error)}. Check that the disk has space and that you can "
            "write to the folder. Then run the same command again to continue."
        ) from error
    except Exception as error:
        log = reader.build(workspace=workspace).logs / "demo.log"
        with open_log(log) as out:
            out.write("".join(traceback.format_exception(error)).encode())
        raise ServiceDown(
            f"The demo had an internal error ({type(error).__name__}). Details: {log}. Run the same command "
            "again to continue. If it stops again, use a new folder: `attune demo --workspace ./again`"
        ) from error


@contextmanager
def add_service_log(stack: Stack) -> Iterator[None]:
    """Where a part has ended, its own words in place of those about what could not be done without it."""
    try:
        yield
    except Exception:
        stack.check()
        raise


def interrupted(*_: object) -> None:
    """SIGTERM stops as Ctrl-C does: by itself it would end this process alone and leave all that it started."""
    raise KeyboardInterrupt


def _settings(workspace: str | Path | None, keep_ports: bool = False) -> Settings:
    from attune.labeler.demo import known_password, prepare

    first = reader.build(workspace=workspace)
    known_password.check_demo(first)
    _refuse_others(first)
    first.workspace.mkdir(parents=True, exist_ok=True)
    reader.keep_settings(first.workspace, **prepare.encoder_settings())
    return free_ports(reader.build(workspace=first.workspace), keep_ports)


def _refuse_others(settings: Settings) -> None:
    """The demo changes the encoder, so it must not begin where somebody keeps images of their own."""
    from attune.labeler.demo import prepare

    weights_name = Path(reader.kept_settings(settings.workspace).get("pretrained", "")).name
    if workspace_check.is_there(settings) and weights_name != Path(prepare.encoder_settings()["pretrained"]).name:
        raise SettingsError(
            f"{settings.workspace} is not a demo workspace, and the demo would change its encoder. Nothing was "
            "changed. Give the demo its own folder: `attune demo --workspace ./look-around`"
        )


def _report(line: str) -> None:
    click.echo(line, err=True)


def _check(workspace: str | None, answers: int, keep: bool) -> None:
    from attune.labeler.demo.check import check

    set_outside = workspace or os.environ.get("ATTUNE_WORKSPACE")
    folder = Path(set_outside) if set_outside else Path(tempfile.mkdtemp(prefix="attune-demo-check-"))
    started = time.monotonic()
    try:
        with Stack(_settings(folder), _report) as stack, add_service_log(stack), bars(lines=True) as progress:
            result = check(stack.settings, progress, answers)
    except BaseException:
        click.echo(f"demo-check failed. Its workspace with the log of every service is kept in {folder}", err=True)
        raise
    if not set_outside and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    result["seconds_with_start_and_stop"] = round(time.monotonic() - started, 1)
    click.echo(json.dumps(result))


def _demo(workspace: str | None, answers: int) -> None:
    from attune.labeler.demo import explored, prepare, story, welcome_text

    settings = _settings(workspace, keep_ports=True)
    _report(welcome_text.beginning())
    with Stack(settings, _report) as stack:
        prepare.owner(stack.settings)
        click.echo(welcome_text.console(stack.settings))
        with add_service_log(stack), bars(lines=True) as progress:
            version = story.prepared(stack.settings, answers, progress)
        explored.begin(stack.settings)
        click.echo(welcome_text.text(stack.settings, story.FINISHED, version, story.WAITING))
        if old := prepare.old_classes(stack.settings):
            _report(old)
        stack.wait()
