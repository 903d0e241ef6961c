"""`attune up`: all parts in the foreground until Ctrl-C, one stack a workspace."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from honcho.manager import Manager
from honcho.printer import Message, Printer

from attune.labeler.catalog.restore_files import restore
from attune.labeler.demo.known_password import check_served
from attune.labeler.label_studio import database_template, install
from attune.labeler.records.session import migrate
from attune.labeler.services import orphans, parts, ports, readiness
from attune.labeler.services.process_runner import Flags, ProcessRunner, last_words
from attune.labeler.services.workspace_lock import workspace_lock
from attune.labeler.settings import Settings, close_workspace, hidden, keep_settings, secrets
from attune.models.errors import CatalogError, ServiceDown, ServiceError

Tell = Callable[[str], None]
PORTS = ("host", "web_port", "label_studio_port", "redis_port")


def run(settings: Settings, report: Tell = print, ready: Callable[[], None] = lambda: None) -> None:
    """Start every part, say when all are ready (and call ``ready``), and keep them until SIGINT or SIGTERM.

    A part that dies is started again; one that dies too often stops all. Starting again on the same workspace continues
    with its data, also after everything was killed with -9. Must be called in the main thread. Raises ServiceError
    where another stack runs on this workspace, PortBusy, SettingsError, and ServiceDown with the log's end for a part
    given up.
    """
    settings.workspace.mkdir(parents=True, exist_ok=True)
    with workspace_lock(settings):
        if stopped := orphans.sweep(settings.workspace):
            report(f"stopped {stopped} processes that an earlier start had left running")
        if shut_now := close_workspace.all_of(settings.workspace):
            report(f"workspace     now private ({shut_now:,} files and folders were open to other users)")
        secrets.load(settings.secrets)
        if settings.label_studio_url is None:
            install.ensure(settings, report)
            database_template.place(settings, report)
        services = parts.services_to_start(settings)
        ports.check(services)
        keep_ports(settings)
        migrate(settings)
        check_served(settings)
        report(f"records       ready  {hidden(settings.records_url)}")
        heal_catalog(settings, report)
        supervisor = Supervisor(settings, services, report, ready)
        try:
            supervisor.loop()
        finally:
            orphans.sweep(settings.workspace)
            report(f"Stopped. Everything is kept in {settings.workspace}. The next start continues from there.")
        if supervisor.failure is not None:
            raise supervisor.failure


def heal_catalog(settings: Settings, report: Tell) -> None:
    """Let the catalog's files say what the records say; one that does not answer keeps nothing else from starting."""
    try:
        done = restore(settings)
    except CatalogError as error:
        report(f"catalog       {error}")
        return
    if written := [*done["versions"], *done["aliases"]]:
        report(f"catalog       restored: {', '.join(written)}")


def keep_ports(settings: Settings) -> None:
    """Write where this stack listens into the workspace, so that other commands find it; defaults are not written."""
    defaults = {item.name: item.default for item in fields(Settings)}
    used = {name: getattr(settings, name) for name in PORTS}
    changed = {name: None if value == defaults[name] else value for name, value in used.items()}
    keep_settings(settings.workspace, **changed)


class Supervisor(Manager):
    """honcho's manager over keepers: it owns the signals and the messages, they own the processes."""

    def __init__(
        self,
        settings: Settings,
        services: list[parts.Part],
        report: Tell,
        ready: Callable[[], None] = lambda: None,
        wait: Callable[[Settings, Tell, Callable[[], None]], None] = readiness.wait_and_repair,
    ) -> None:
        super().__init__(_ReportStream(report))
        self.settings = settings
        self._wait = wait
        self.failure: ServiceError | None = None
        self.flags = Flags()
        self._report, self._ready = report, ready
        self._narrator = threading.Thread(target=self._narrate, daemon=True)
        others = sum(not part.last for part in services)
        for part in services:
            self._processes[part.name] = {"obj": ProcessRunner(part, self.flags, others)}

    def _start(self) -> None:
        super()._start()
        # Only now: a process forked beside a running thread could inherit a lock that no one gives back.
        self._narrator.start()

    def loop(self) -> None:
        """Run until everything has stopped."""
        super().loop()
        self._narrator.join(1)

    def _narrate(self) -> None:
        self._report_start()
        # Told from here: a signal may come while the main thread is in the middle of a line.
        self.flags.stopping.wait()
        self._report(f"Stopping {', '.join(one['obj'].part.title for one in self._processes.values())} …")

    def _report_start(self) -> None:
        try:
            self._wait(self.settings, self._report, self._alive)
        except _Stopping:
            return
        except ServiceError as error:
            self.failure = error
            self.terminate()
            return
        self._report(f"Attune is ready at {self.settings.web_address}. Ctrl-C stops everything.")
        self._ready()

    def _alive(self) -> None:
        if self._terminating:
            raise _Stopping

    def _all_started(self) -> bool:
        # A keeper told to stop before its turn never started anything.
        return self._terminating or bool(super()._all_started())

    def terminate(self) -> None:
        """Ask every keeper to stop its part."""
        if not self._terminating and self.returncode not in {None, 130, 143} and self.failure is None:
            self.failure = self._given_up()
        self._terminating: bool = True
        self.flags.stopping.set()

    def kill(self) -> None:
        """Nothing: a keeper kills what does not stop in time, and Redis must outlive the others."""

    def _given_up(self) -> ServiceDown:
        stopped = [name for name, process in self._processes.items() if "returncode" in process]
        part = self._processes[stopped[0]]["obj"].part
        return ServiceDown(
            f"{part.title} stops again and again, so Attune stopped everything. The log ends "
            f"with:\n{last_words(part.log)}\nFix the problem, then start again. The whole log: {part.log}. To "
            "test each service: `attune doctor`"
        )


class _Stopping(Exception):
    """The stack stops before it was ready."""


class _ReportStream(Printer):
    """honcho's printer, with one line a message and none for its routine."""

    def __init__(self, report: Tell) -> None:
        super().__init__(io.StringIO())
        self._say = report

    def write(self, message: Message) -> None:
        """Pass on what keepers say, and nothing of starts and stops."""
        if message.name != "system":
            text: Any = message.data
            text = text.decode(errors="replace") if isinstance(text, bytes) else text
            self._say(f"{message.name:<13} {text.rstrip()}")
