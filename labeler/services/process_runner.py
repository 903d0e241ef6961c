"""Keep one part running: start it, start it again when it dies, stop it with all that it started."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, BinaryIO

import psutil
from honcho.process import Process

from attune.labeler.services.orphans import die_with_parent
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


class Flags:
    """What the supervisor tells the keepers: stop now; and, to the part that goes last, how many have stopped."""

    def __init__(self) -> None:
        self.stopping = multiprocessing.Event()
        self.stopped = multiprocessing.Semaphore(0)


class Keeper(Process):
    """honcho's process, kept alive: a part that dies starts again, after 1, 2, 4 … seconds, until it dies too often.

    honcho alone stops everything when one process ends; here that comes only after ``QUICK_DEATHS``.
    """

    def __init__(self, part: Part, flags: Flags, others: int) -> None:
        super().__init__(part.command, name=part.name, env=part.environment)
        self.part = part
        self.flags = flags
        self.others = others  # parts that must have stopped before this one

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """In a process of the supervisor's own: keep the part until it is to stop or given up; tells ``events``."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        die_with_parent(signal.SIGKILL)
        self._events = events
        code = self._keep()
        if not self.part.last:
            self.flags.stopped.release()
        self._send_message({"returncode": code}, type="stop")

    def _keep(self) -> int:
        deaths, code = 0, 0
        while not self.flags.stopping.is_set():
            began = time.monotonic()
            code = self._once()
            if self.flags.stopping.is_set():
                break
            deaths = 1 if time.monotonic() - began > LONG_LIFE_SECONDS else deaths + 1
            if deaths >= QUICK_DEATHS:
                self._say(
                    f"ended {deaths} times in a row (status {code}) and is not started again: see {self.part.log}"
                )
                return code or 1
            pause = FIRST_PAUSE_SECONDS * 2 ** (deaths - 1)
            self._say(f"ended with status {code}; starts again in {pause:.0f} s (log: {self.part.log})")
            self.flags.stopping.wait(pause)
        return code

    def _once(self) -> int:
        """Start the part and watch it until it ends; its status."""
        with open_log(self.part.log) as log:
            child = subprocess.Popen(
                self.part.command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # This process has no thread of its own making, so the step between fork and exec is safe.
                preexec_fn=_in_the_child,  # noqa: PLW1509
            )
            self._send_message({"pid": child.pid}, type="start")
            while child.poll() is None:
                if self.flags.stopping.wait(0.2):
                    self._stop(child)
                elif self.part.log.stat().st_size > LOG_BYTES:
                    roll(self.part.log)
            return int(child.returncode)

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        if self.part.last:
            for _ in range(self.others):
                self.flags.stopped.acquire(timeout=30)
        # A work-horse of rq leaves its worker's process group, so the whole family is asked by name.
        family = psutil.Process(child.pid).children(recursive=True)
        child.terminate()
        try:
            child.wait(self.part.grace_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for process in family:
            if process.is_running():
                process.kill()

    def _say(self, words: str) -> None:
        self._send_message(f"{words}\n".encode())


def _in_the_child() -> None:
    # Signals that a keeper ignores would stay ignored in what it starts.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent(signal.SIGTERM)


def open_log(path: Path) -> BinaryIO:
    """The log open for appending; a long one is put aside first, as ``.1``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        roll(path)
    return path.open("ab")


def roll(path: Path) -> None:
    """Copy a log aside and empty it in place: the part goes on writing to the same open file."""
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
    said: list[str] = []
    inside = False
    for line in tail(path, 10_000, since).splitlines():
        if line.startswith("Traceback (most recent call last):") or line.startswith('  File "'):
            inside = True
        elif inside and line and not line[0].isspace():
            inside = False  # the exception itself, or a sentence between two of them
        elif not inside and line.strip() and line.strip() not in BETWEEN_TRACEBACKS:
            said.append(f"  {line.rstrip()}")
    return "\n".join(said[-lines:]) if path.exists() and said else "  (only details for developers)"
