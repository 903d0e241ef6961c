"""A stack beside this process, for the demo and the tests: the same `attune up`, started, waited for and stopped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from attune.labeler.label_studio import database_template, install
from attune.labeler.services import parts, readiness
from attune.labeler.services.parts import PARENT, our_environment
from attune.labeler.services.process_runner import last_words, open_log
from attune.labeler.services.workspace_lock import check_unlocked
from attune.labeler.settings import Settings
from attune.models.errors import ServiceDown

Tell = Callable[[str], None]
OWN = "  attune: "  # begins an error of the stack's own
STOP_SECONDS = 40.0
ENDING_SECONDS = 3.0  # between the end of a part and that of the stack


class Stack:
    """``with Stack(settings) as stack:`` everything runs; afterwards nothing does, and the data stays in the workspace.

    The stack stops as well when the thread that started it ends. Its own words are in ``logs/up.log``.
    """

    def __init__(self, settings: Settings, report: Tell = lambda line: None) -> None:
        self.settings = settings
        self.log = settings.logs / "up.log"
        self._report = report
        self._process: subprocess.Popen[bytes] | None = None
        self._before = 0  # bytes of the log that earlier stacks wrote

    def start(self) -> None:
        """Start without waiting for readiness; what must be installed first is installed first, and told.

        Raises ServiceError where another stack runs on this workspace.
        """
        if self.settings.label_studio_url is None:
            install.ensure(self.settings, self._report)
            database_template.ensure(self.settings, self._report)
        check_unlocked(self.settings)
        with open_log(self.log) as log:
            self._before = os.fstat(log.fileno()).st_size
            self._process = subprocess.Popen(
                parts.our_command("attune.labeler.services"),
                env=our_environment(self.settings) | {PARENT: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ready(self, patience_seconds: float = readiness.PATIENCE_SECONDS) -> None:
        """Wait until every part is ready; raises ServiceDown with the stack's own last words where it ended."""
        readiness.wait(self.settings, self._report, self._alive, patience_seconds)

    def _alive(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise ServiceDown(f"Attune did not start. {self._story()}")

    def check(self) -> None:
        """Raise ServiceDown with the stack's own last words where it ended, or is about to: for an error that only
        follows from that."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDING_SECONDS)
                raise ServiceDown(f"Attune stopped unexpectedly. {self._story()}")

    def _story(self) -> str:
        """The reason that the stack itself gave, else what its log ends with; and what to do."""
        log_lines = last_words(self.log, lines=12, since=self._before)
        if OWN in log_lines:
            return log_lines.rpartition(OWN)[2]
        return (
            f"The log ends with:\n{log_lines}\nNothing is lost. Fix the problem, then start again. The whole log: "
            f"{self.log}. To test each service: `attune doctor`"
        )

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        if self._process is None:
            raise ServiceDown("The stack was not started. Call start() first.")
        return self._process.pid

    def wait(self) -> None:
        """Wait until Ctrl-C comes, and stop everything then; raises ServiceDown where the stack ended by itself."""
        if self._process is None:
            return
        try:
            code = self._process.wait()
        except KeyboardInterrupt:
            self._interrupted()
            return
        if code != 0:
            raise ServiceDown(f"Attune stopped unexpectedly. {self._story()}")

    def _interrupted(self) -> None:
        self._report(f"Stopping {', '.join(part.title for part in parts.services_to_start(self.settings))} …")
        self.stop()
        self._report(f"Stopped. Everything is kept in {self.settings.workspace}. The next start continues from there.")

    def stop(self) -> int:
        """Stop every part and wait for it; the supervisor's exit code, 0 for a clean stop."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self._process.returncode

    def __enter__(self) -> Self:
        self.start()
        try:
            self.ready()
        except BaseException as error:
            self._end(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._interrupted()
        else:
            self.stop()
