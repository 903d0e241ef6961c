"""`attune up`: all parts in the foreground until Ctrl-C, one stack a workspace."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import fields

from attune.labeler.catalog.restore_files import heal
from attune.labeler.demo.known_password import check_served
from attune.labeler.label_studio import database_template, install
from attune.labeler.records.session import migrate
from attune.labeler.services import orphans, parts, ports, readiness
from attune.labeler.services.process_runner import PartRunner, last_words
from attune.labeler.services.workspace_lock import alone
from attune.labeler.settings import Settings, close_workspace, hidden, keep, secrets
from attune.models.errors import CatalogError, ServiceDown, ServiceError

Tell = Callable[[str], None]
LOOK_SECONDS = 0.1
PORTS = ("host", "web_port", "label_studio_port", "redis_port")


def run(settings: Settings, tell: Tell = print, ready: Callable[[], None] = lambda: None) -> None:
    """Start every part, say when all are ready (and call ``ready``), and keep them until SIGINT or SIGTERM.

    A part that dies is started again; one that dies too often stops all. Starting again on the same workspace goes on
    with its data, also after everything was killed with -9. Must be called in the main thread. Raises ServiceError
    where another stack runs on this workspace, PortBusy, SettingsError, and ServiceDown with the log's end for a part
    given up.
    """
    settings.workspace.mkdir(parents=True, exist_ok=True)
    with alone(settings):
        if left := orphans.sweep(settings.workspace):
            tell(f"stopped {left} processes that an earlier start had left running")
        if shut_now := close_workspace.all_of(settings.workspace):
            tell(f"workspace     now private ({shut_now:,} files and folders were open to other users)")
        secrets.load(settings.secrets)
        if settings.label_studio_url is None:
            install.ensure(settings, tell)
            database_template.place(settings, tell)
        wanted = parts.wanted(settings)
        ports.check(wanted)
        keep_ports(settings)
        migrate(settings)
        check_served(settings)
        tell(f"records       ready  {hidden(settings.records_url)}")
        heal_catalog(settings, tell)
        supervisor = Supervisor(settings, wanted, tell, ready)
        try:
            supervisor.loop()
        finally:
            orphans.sweep(settings.workspace)
            tell(f"Stopped. Everything is kept in {settings.workspace}. The next start continues from there.")
        if supervisor.failure is not None:
            raise supervisor.failure


def heal_catalog(settings: Settings, tell: Tell) -> None:
    """Let the catalog's files say what the records say; one that does not answer keeps nothing else from starting."""
    try:
        done = heal(settings)
    except CatalogError as error:
        tell(f"catalog       {error}")
        return
    if written := [*done["versions"], *done["aliases"]]:
        tell(f"catalog       restored: {', '.join(written)}")


def keep_ports(settings: Settings) -> None:
    """Write where this stack listens into the workspace, so that other commands find it; defaults are not written."""
    defaults = {item.name: item.default for item in fields(Settings)}
    used = {name: getattr(settings, name) for name in PORTS}
    keep(settings.workspace, **{name: None if value == defaults[name] else value for name, value in used.items()})


class Supervisor:
    """Keeps every part running until SIGINT, SIGTERM or the end of one part that is given up stops all.

    The main thread owns the signals and the parts; a thread beside it says when all are ready.
    """

    def __init__(
        self,
        settings: Settings,
        wanted: list[parts.Part],
        tell: Tell,
        ready: Callable[[], None] = lambda: None,
        wait: Callable[[Settings, Tell, Callable[[], None]], None] = readiness.wait_and_mend,
    ) -> None:
        self.settings = settings
        self.failure: ServiceError | None = None
        self._runners = [PartRunner(part, tell) for part in wanted]
        self._tell, self._ready, self._wait = tell, ready, wait
        # A plain value: an Event that a signal sets while the main thread holds its lock would never be set.
        self._stopping = False
        self._ending = threading.Event()

    def loop(self) -> None:
        """Run until everything has stopped."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        teller = threading.Thread(target=self._tell_all, daemon=True)
        teller.start()
        while not self._stopping and not any(runner.given_up for runner in self._runners):
            for runner in self._runners:
                runner.look()
            time.sleep(LOOK_SECONDS)
        self._stopping = True
        self._ending.set()
        self._end()
        teller.join(1)

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _end(self) -> None:
        if self.failure is None and (lost := [runner.part for runner in self._runners if runner.given_up]):
            self.failure = _given_up(lost[0])
        for last in (False, True):
            stopping = [runner for runner in self._runners if runner.part.last == last]
            for runner in stopping:
                runner.stop()
            while remaining := [runner for runner in stopping if not runner.stopped()]:
                stopping = remaining
                time.sleep(LOOK_SECONDS)

    def _tell_all(self) -> None:
        self._tell_start()
        self._ending.wait()
        # Told from here, so that it comes after all that is said of the start.
        self._tell(f"Stopping {', '.join(runner.part.title for runner in self._runners)} …")

    def _tell_start(self) -> None:
        try:
            self._wait(self.settings, self._tell, self._check_running)
        except _Stopping:
            return
        except ServiceError as error:
            self.failure = error
            self._stopping = True
            return
        self._tell(f"Attune is ready at {self.settings.web_address}. Ctrl-C stops everything.")
        self._ready()

    def _check_running(self) -> None:
        if self._stopping:
            raise _Stopping


def _given_up(part: parts.Part) -> ServiceDown:
    return ServiceDown(
        f"{part.title} stops again and again, so Attune stopped everything. The log ends "
        f"with:\n{last_words(part.log)}\nFix the problem, then start again. The whole log: {part.log}. To "
        "test each service: `attune doctor`"
    )


class _Stopping(Exception):
    """The stack stops before it was ready."""
