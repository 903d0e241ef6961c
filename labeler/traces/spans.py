"""Spans of a part of Attune, sent to a collector by OTLP over HTTP; off until OpenTelemetry's own variables name one.

A span tells a kind, an outcome and a time. It names no person, no image, no title and no question, and an error by its
class alone, as its text may hold any of these: traces leave the workspace.
Sources: https://opentelemetry.io/docs/specs/otel/protocol/exporter, https://www.w3.org/TR/trace-context
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import RawValue
from typing import Any

from attune.models.reasons import missing_extra

VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
LIMITS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
LIMIT_SECONDS = 2.0  # what a worker waits at most, once a job, for a collector that does not answer
REST_SECONDS = 60.0
log = logging.getLogger("attune.traces")
Tell = Callable[[str, str | int], None]


class _Sender:
    """What sends a part's spans, one a process: two processes must not share a connection to the collector."""

    def __init__(self, part: str = "", in_background: bool = False) -> None:
        self.part = part
        self.in_background = in_background
        self.kept: list[Any] = []  # spans of a job, until it has ended
        self.exporter: Any = None
        # Shared with the processes that are forked for jobs: what one of them learned of the collector, all know.
        self.rests_until: Any = RawValue("d", 0.0)
        self._process = 0
        self._provider: Any = None

    def provider(self) -> Any:
        """That of this process, made at its first span; None while traces are off."""
        if self.part and self._process != os.getpid():
            self._process, self._provider, self.kept = os.getpid(), None, []
            try:
                self._provider = self._made()
            except Exception as error:  # what OpenTelemetry's variables say may be no number, or not fit together
                log.warning(
                    "No traces are sent: OpenTelemetry does not start with its variables (%s). Look at those that "
                    "begin with OTEL_.",
                    type(error).__name__,
                )
        return self._provider

    def _made(self) -> Any:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        kept = self.kept

        class Keep(SpanProcessor):
            def on_end(self, span: Any) -> None:
                kept.append(span)

        self.exporter = OTLPSpanExporter(timeout=None if any(map(os.environ.get, LIMITS)) else LIMIT_SECONDS)
        provider = TracerProvider(resource=Resource.create({"service.name": f"attune.{self.part}"}))
        provider.add_span_processor(BatchSpanProcessor(self.exporter) if self.in_background else Keep())
        return provider

    def send(self) -> None:
        """Send what is kept, once; a collector that did not take it has a minute's rest."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        waiting, self.kept[:] = list(self.kept), []
        if waiting and time.time() >= self.rests_until.value:
            try:
                taken = self.exporter.export(waiting) is SpanExportResult.SUCCESS
            except Exception:  # it is said below; a job that is done must not fail by this
                taken = False
            if not taken:
                log.warning("The collector of traces did not take them. The next ones are sent in a minute.")
                self.rests_until.value = time.time() + REST_SECONDS


_sender = _Sender()


def start(part: str, in_background: bool) -> None:
    """Keep spans from now on, as ``part``, if a variable names a collector and the extra ``traces`` is installed.

    ``in_background`` sends them every few seconds from a thread. A process that may end with its job calls `send`.
    """
    global _sender
    if not any(map(os.environ.get, VARIABLES)) or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter
        import opentelemetry.sdk.trace.export  # noqa: F401
    except ImportError as error:
        log.warning("No traces are sent, though %s is set. %s", " or ".join(VARIABLES), missing_extra(error) or error)
        return
    _sender = _Sender(part, in_background)


def send() -> None:
    """Send what this process has kept of its job; nothing while traces are off, or are sent in the background."""
    if _sender.provider() is not None and not _sender.in_background:
        _sender.send()


def stop() -> None:
    """Send what waits, and nothing after it."""
    global _sender
    send()
    if _sender.provider() is not None:
        _sender.provider().shutdown()
    _sender = _Sender()


def is_on() -> bool:
    """Whether this process keeps spans."""
    return bool(_sender.part)


@contextmanager
def span(name: str, parent: Mapping[str, str] | None = None, **facts: str | int) -> Iterator[Tell]:
    """Time the block as a span under ``parent`` (from `passed_on`), else under the span that is open here.

    Yields a function that adds a fact. An error in the block is told by its class, and goes on.
    """
    provider = _sender.provider()
    if provider is None:
        yield _untold
        return
    from opentelemetry.trace import StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    above = TraceContextTextMapPropagator().extract(parent) if parent else None
    opened = provider.get_tracer("attune").start_as_current_span(
        name, context=above, attributes=facts, record_exception=False, set_status_on_exception=False
    )
    with opened as one:
        try:
            yield one.set_attribute
        except BaseException as error:
            one.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def passed_on() -> dict[str, str]:
    """The open span for another process, as W3C's ``traceparent``; empty while traces are off."""
    if not is_on():
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier


def _untold(name: str, value: str | int) -> None:
    """A fact that no one asked for."""
