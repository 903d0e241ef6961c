"""Keep one part running: start it, start it again when it dies, stop it with all that it started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import psutil

from attune.labeler.services import start_part
from attune.labeler.services.parts import Part
from attune.models.text import without_controls

QUICK_DEATHS = 4  # in a row, after which a part is given up
LONG_LIFE_SECONDS = 60.0  # a part that lived this long starts with a clean slate
FIRST_PAUSE_SECONDS = 1.0
LOG_BYTES = 10_000_000
BETWEEN_TRACEBACKS = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)


class PartRunner:
    """One part, kept running: one that dies starts again, after 1, 2, 4 … seconds, until it dies too often.

    Nothing here waits: `look` is to be called again and again, by the main thread, because on Linux a part gets SIGTERM
    when the thread that started it ends.
    """

    def __init__(self, part: Part, report: Callable[[str], None]) -> None:
        self.part = part
        self.given_up = False
        self._report = report
        self._child: subprocess.Popen[bytes] | None = None
        self._family: list[psutil.Process] = []
        self._deaths = 0
        self._due = self._began = 0.0  # of `time.monotonic`: the next start, the last one
        self._patience: float | None = None  # when a part that is stopping is killed

    def look(self) -> None:
        """Start the part where it is due; see whether it has ended."""
        if self.given_up:
            return
        if self._child is None:
            if time.monotonic() >= self._due:
                self._start()
        elif self._child.poll() is not None:
            self._ended(self._child.returncode)
        elif self.part.log.stat().st_size > LOG_BYTES:
            roll(self.part.log)

    def stop(self) -> None:
        """Ask the part to end; `stopped` makes it end when its time is over."""
        self._patience = time.monotonic() + self.part.grace_seconds
        if self._child is not None and self._child.poll() is None:
            # A work-horse of rq leaves its worker's process group, so the whole family is asked by name.
            self._family = psutil.Process(self._child.pid).children(recursive=True)
            self._child.terminate()

    def stopped(self) -> bool:
        """Whether the part and all that it started have ended, after `stop`; kills it where it takes too long."""
        if self._patience is None:
            return False
        if self._child is not None and self._child.poll() is None:
            if time.monotonic() < self._patience:
                return False
            self._child.kill()
            self._child.wait()
        for process in self._family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._family = []
        return True

    def _start(self) -> None:
        self._began = time.monotonic()
        with open_log(self.part.log) as log:
            self._child = subprocess.Popen(
                (sys.executable, "-I", "-S", start_part.__file__, str(os.getpid()), *self.part.command),
                env=self.part.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _ended(self, code: int) -> None:
        self._child = None
        self._deaths = 1 if time.monotonic() - self._began > LONG_LIFE_SECONDS else self._deaths + 1
        self.given_up = self._deaths >= QUICK_DEATHS
        if self.given_up:
            self._log_line(
                f"ended {self._deaths} times in a row (status {code}) and is not started again: see {self.part.log}"
            )
            return
        pause = FIRST_PAUSE_SECONDS * 2 ** (self._deaths - 1)
        self._due = time.monotonic() + pause
        self._log_line(f"ended with status {code}; starts again in {pause:.0f} s (log: {self.part.log})")

    def _log_line(self, words: str) -> None:
        self._report(f"{self.part.name:<13} {words}")


def open_log(path: Path) -> BinaryIO:
    """The log open for appending; a long one is put aside first, as ``.1``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        roll(path)
    return path.open("ab")


def roll(path: Path) -> None:
    """Copy a log aside and empty it in place: the part continues writing to the same open file."""
    shutil.copyfile(path, path.with_name(path.name + ".1"))
    with path.open("r+b") as log:
        log.truncate(0)


def tail(path: Path, lines: int = 12, since: int = 0) -> str:
    """The last lines of a log, for an error that must say why; only what came after its first ``since`` bytes."""
    if not path.exists():
        return "(no log)"
    with path.open("rb") as log:
        log.seek(max(0, since, path.stat().st_size - 20_000))
        text = without_controls(log.read().decode(errors="replace"), but="\r\n\t")  # it may hold what anybody sent
        return "\n".join(text.splitlines()[-lines:])


def last_words(path: Path, lines: int = 6, since: int = 0) -> str:
    """What the end of a log says to people, indented: `tail` without tracebacks, which are for whoever opens the log.

    Says so where nothing is left.
    """
    last_lines: list[str] = []
    inside = False
    for line in tail(path, 10_000, since).splitlines():
        if line.startswith("Traceback (most recent call last):") or line.startswith('  File "'):
            inside = True
        elif inside and line and not line[0].isspace():
            inside = False  # the exception itself, or a sentence between two of them
        elif not inside and line.strip() and line.strip() not in BETWEEN_TRACEBACKS:
            last_lines.append(f"  {line.rstrip()}")
    return "\n".join(last_lines[-lines:]) if path.exists() and last_lines else "  (only details for developers)"
