"""Serve the console: ``python -m attune.labeler.web.serve``, settings from the environment."""

from __future__ import annotations

import logging
import sys

import waitress

from attune.labeler.demo.known_password import check_served
from attune.labeler.services import entry_point
from attune.labeler.services.port_owner import holder
from attune.labeler.settings import Settings, close_workspace
from attune.labeler.traces import spans
from attune.labeler.web import connections, receiving
from attune.labeler.web.app import create_app
from attune.labeler.web.replies import RequestIds
from attune.labeler.web.sizes import BODY_BYTES
from attune.models.errors import PortBusy
from attune.models.reasons import reason

FORMAT = "%(asctime)s %(levelname)s %(name)s request=%(request)s %(message)s"
THREADS = 8


def log_to_stdout(level: str) -> None:
    """One line an event, each with the id of its request."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(RequestIds())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def serve(settings: Settings) -> None:
    """Serve until stopped. Raises PortBusy where the port is taken."""
    close_workspace.all_of(settings.workspace)
    app = create_app(settings)
    check_served(settings)
    most = connections.limit()
    try:
        server = waitress.create_server(
            app,
            host=settings.host,
            port=settings.web_port,
            threads=THREADS,
            ident="attune",
            max_request_body_size=BODY_BYTES,
            max_request_header_size=receiving.HEAD_BYTES,
            connection_limit=most,
            cleanup_interval=10,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=not settings.proxies,  # the app reads as many as there are proxies
        )
    except OSError as error:
        raise PortBusy(
            f"The web app cannot listen on {settings.host}:{settings.web_port} ({reason(error)}"
            f"{holder(settings.web_port, error)}). Stop the program that uses the port, or set "
            "ATTUNE_WEB_PORT to a free port."
        ) from error
    logging.getLogger("attune.web").info("the console is at %s", settings.web_address)
    server.run()


def main() -> int:
    """Entry point; the exit code."""
    entry_point.parser("attune.labeler.web.serve", __doc__).parse_args()

    def work(settings: Settings) -> None:
        log_to_stdout(settings.log_level)
        spans.start("web", in_background=True)
        try:
            serve(settings)
        finally:
            spans.stop()

    return entry_point.run(work)


if __name__ == "__main__":
    sys.exit(main())
