"""Python code run inside Label Studio's own environment, on the database of the one that the tests started."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from typing import Any

from attune.labeler.label_studio import local
from attune.labeler.label_studio.environment_folder import folder
from attune.labeler.settings import Settings

BEGIN = "import django, json\ndjango.setup()\n"


def run(settings: Settings, code: str) -> Any:
    """What ``code`` prints last, as JSON. ``settings`` are those that Label Studio was started with."""
    return _run(settings, ["-c", BEGIN + code])


class Kept:
    """One process for many pieces of code, started with the first: to load Label Studio takes seconds each time.

    They run in a copy of it, what is to be apart in a copy of its own, made of one that has answered no request: the
    first that a process answers limits whom it may call.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed by `close`)

    def run(self, code: str, apart: bool = False) -> Any:
        """What ``code`` prints last, as JSON. ``apart``: in a copy, where it changes the process that it runs in."""
        if self._process is None:
            self._process = subprocess.Popen(
                [*_python(self._settings), "-c", ANSWERING],
                env=_variables(self._settings),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
            )
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps([code, apart]) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith(ANSWER):
                said, error = json.loads(line.removeprefix(ANSWER))
                assert not error, error
                return json.loads(said.strip().splitlines()[-1])
        self._errors.seek(0)
        raise AssertionError(f"Label Studio's Python ended:\n{self._errors.read()[-2000:]}")

    def close(self) -> None:
        """End the processes."""
        if (process := self._process) is not None:
            assert process.stdin
            assert process.stdout
            process.stdin.close()
            process.wait(30)
            process.stdout.close()
        self._errors.close()


ANSWER = "attune-answer "
SECONDS = 120  # for one piece in a process or a copy of its own
ANSWERING = f"""
import contextlib, io, json, os, signal, sys, traceback
import django
django.setup()
from django.db import connections
def tell(said, error):
    print({ANSWER!r} + json.dumps([said, error]), flush=True)
def answer(code):
    said, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said):
            exec(code, {{"json": json}})
    except Exception:
        error = traceback.format_exc()
    connections.close_all()
    tell(said.getvalue(), error)
def answer_all(lines, done):
    for code in open(lines):
        answer(json.loads(code))
        os.write(done, b".")
    os._exit(0)
usual = None
for line in sys.stdin:
    code, apart = json.loads(line)
    if not apart:
        if usual is None:
            (lines, inbox), (ended, done) = os.pipe(), os.pipe()
            if not (usual := os.fork()):
                os.close(inbox)
                os.close(ended)
                answer_all(lines, done)
            os.close(lines)
            os.close(done)
            inbox = open(inbox, "w")
        print(json.dumps(code), file=inbox, flush=True)
        if not os.read(ended, 1):
            tell("", "It ended with " + str(os.waitstatus_to_exitcode(os.waitpid(usual, 0)[1])))
    elif not (copy := os.fork()):
        signal.alarm({SECONDS})
        answer(code)
        os._exit(0)  # whatever threads it has
    elif status := os.waitpid(copy, 0)[1]:
        tell("", "It ended with " + str(os.waitstatus_to_exitcode(status)))
if usual is not None:
    inbox.close()
    os.waitpid(usual, 0)
"""


UNSTAMPED = """
from datetime import timedelta
from django.utils import timezone
from tasks.models import Task
before = {{"updated_at": timezone.now() - timedelta(hours=1), "is_labeled": False}}
counted = {{"total_annotations": 0, "cancelled_annotations": 0}}
print(Task.objects.filter(pk={task}).update(**before, **counted))
"""


def hide_answer(kept: Kept, task: int) -> None:
    """Leave a task as a Label Studio that is killed right after it stored the answer: as if nobody had answered."""
    assert kept.run(UNSTAMPED.format(task=task)) == 1


def _run(settings: Settings, arguments: list[str]) -> Any:
    done = subprocess.run(
        [*_python(settings), *arguments],
        env=_variables(settings),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def _python(settings: Settings) -> list[str]:
    return [str(folder(settings) / "bin" / "python")]


def _variables(settings: Settings) -> dict[str, str]:
    package = next(folder(settings).glob("lib/python3.*/site-packages/label_studio"))
    variables = local.environment(settings)
    return variables | {"PYTHONPATH": os.pathsep.join([variables["PYTHONPATH"], str(package)])}
