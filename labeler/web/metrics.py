"""`/metrics` in the text format of Prometheus: figures of the workspace, and how this console answers.

Only with a login or a token, also from this machine: a proxy in front of the console is on this machine, too. Source:
https://prometheus.io/docs/instrumenting/exposition_formats
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Blueprint, Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from attune.labeler.settings import Settings
from attune.labeler.views import metrics

BUCKETS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
EXTENSION = "attune-metrics"
blueprint = Blueprint("metrics", __name__)


class OfTheWorkspace(Collector):
    """Figures that are taken anew at each question."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each figure as a gauge, as even answers can become fewer."""
        for figure in metrics.figures(self.settings):
            family = GaugeMetricFamily(figure.name, figure.means, labels=figure.labels)
            for labels, value in figure.values:
                family.add_metric(labels, value)
            yield family


class Console:
    """How this process answers, by the name of the page: an address may hold names and has no end of values."""

    def __init__(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(OfTheWorkspace(settings))
        self.requests = Counter("attune_requests", "Requests answered.", ("page", "status"), registry=self.registry)
        self.seconds = Histogram(
            "attune_request_seconds", "Seconds until the answer.", ("page",), buckets=BUCKETS, registry=self.registry
        )

    def answered(self, response: Response) -> Response:
        """Count one answer."""
        page = request.endpoint or "none"
        self.requests.labels(page, f"{response.status_code // 100}xx").inc()
        if "began" in g:
            self.seconds.labels(page).observe(time.perf_counter() - g.began)
        return response


def init_app(app: Flask, settings: Settings) -> None:
    """Count what ``app`` answers."""
    console = app.extensions[EXTENSION] = Console(settings)
    app.after_request(console.answered)


@blueprint.get("/metrics")
def page() -> ResponseReturnValue:
    """All figures as text."""
    console: Console = current_app.extensions[EXTENSION]
    return Response(generate_latest(console.registry), content_type=CONTENT_TYPE_LATEST)
