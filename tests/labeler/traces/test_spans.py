"""A request and the job that it asks for, as one trace at a real receiver of OTLP over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.traces import spans
from attune.labeler.web import traced_requests
from attune.workers.runtime import perform
from tests.support import factories
from tests.support.services import redis_on_a_socket

SECRET_TITLE = "The Unannounced Sequel"


class Collector(ThreadingHTTPServer):
    """Keeps each span with the part that sent it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.told: list[tuple[str, Span]] = []

    def by_name(self) -> dict[str, tuple[str, Span]]:
        return {span.name: (part, span) for part, span in self.told}


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        message = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for one in message.resource_spans:
            part = {fact.key: fact.value.string_value for fact in one.resource.attributes}["service.name"]
            self.server.told += [(part, span) for scope in one.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the screen."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setenv(spans.VARIABLES[1], f"http://127.0.0.1:{server.server_port}")
        yield server
        spans.stop()
        server.shutdown()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with redis_on_a_socket(tmp_path) as address:
        yield factories.workspace(tmp_path, redis_url=address)


def a_console(settings: Settings, title: str) -> Flask:
    app = Flask(__name__)

    @app.before_request
    def identified() -> None:
        from flask import g

        g.request_id = "0123456789abcdef"

    @app.post("/titles/<title>")
    def asks(title: str) -> str:
        return jobs.enqueue(settings, "notify")

    traced_requests.init_app(app)
    return app


def work(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perform.reader, "build", lambda: settings)
    connection = jobs.connect(settings)
    queue = Queue(jobs.KINDS["notify"][1], connection=connection, serializer=JSONSerializer)
    SimpleWorker([queue], connection=connection, serializer=JSONSerializer).work(burst=True)


def facts(span: Span) -> dict[str, str | int]:
    return {
        fact.key: fact.value.int_value if fact.value.HasField("int_value") else fact.value.string_value
        for fact in span.attributes
    }


def test_a_request_and_its_job_are_one_trace_that_names_no_title(
    collector: Collector, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans.start("web", in_background=True)
    job_id = a_console(settings, SECRET_TITLE).test_client().post(f"/titles/{SECRET_TITLE}").text
    spans.stop()
    spans.start("worker", in_background=False)
    monkeypatch.setattr(jobs, "run_here", lambda *_: {})
    work(settings, monkeypatch)
    found = collector.by_name()
    (part, asked), (at_work, done) = found["POST /titles/<title>"], found["job notify"]
    assert (part, at_work) == ("attune.web", "attune.worker")
    assert (done.trace_id, done.parent_span_id) == (asked.trace_id, asked.span_id)
    assert facts(asked)["http.response.status_code"] == 200
    assert facts(asked)["attune.request"] == "0123456789abcdef"
    assert facts(done) == {"attune.job": job_id}
    assert not any(
        SECRET_TITLE in str(span) or SECRET_TITLE.replace(" ", "%20") in str(span) for _, span in collector.told
    )


def test_a_job_that_fails_is_told_by_the_class_of_its_error_alone(
    collector: Collector, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError(SECRET_TITLE)

    spans.start("worker", in_background=False)
    job_id = jobs.enqueue(settings, "notify")
    monkeypatch.setattr(jobs, "run_here", fails)
    work(settings, monkeypatch)
    ((_, span),) = collector.told
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "ValueError")
    assert SECRET_TITLE not in str(span)
    with reading(settings) as session:
        assert session.get_one(Job, job_id).state == "failed"


def test_without_a_collector_nothing_is_sent_and_a_missing_package_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in spans.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    spans.start("web", in_background=True)
    assert not spans.is_on()
    assert spans.passed_on() == {}
    monkeypatch.setenv(spans.VARIABLES[0], "http://127.0.0.1:9/v1/traces")
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with caplog.at_level(logging.WARNING):
        spans.start("web", in_background=True)
    assert not spans.is_on()
    assert "[traces]" in caplog.text


def test_a_collector_that_is_away_is_asked_once_for_all_spans_of_many_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as gone:
        port = gone.server_port
    monkeypatch.setenv(spans.VARIABLES[1], f"http://127.0.0.1:{port}")
    spans.start("worker", in_background=False)
    with spans.span("job notify"):
        pass
    export = type(spans._sender.exporter).export
    monkeypatch.setattr(
        type(spans._sender.exporter), "export", lambda one, given: asked.append(len(given)) or export(one, given)
    )
    for _ in range(3):
        for _ in range(20):
            with spans.span("Label Studio"):
                pass
        spans.send()
    spans.stop()
    assert asked == [21]
    assert not spans.is_on()


def test_variables_that_do_not_fit_together_turn_traces_off_and_nothing_else(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "256")  # below the batch that is sent at once
    spans.start("web", in_background=True)
    with spans.span("GET /"):
        pass
    assert spans.passed_on() == {}
    spans.stop()
    assert collector.told == []
    assert "OTEL_" in caplog.text
