"""A small web server on this machine, for what is read by its address."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Without a line for each request, of which a page of images makes fifty; an error keeps its own."""

    def log_request(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def served(app: Flask, port: int = 0) -> Iterator[str]:
    """The address of a console while the block lasts; each request has a thread of its own.

    A browser keeps what pages are drawn with, and need not ask for each file again with each page.
    """
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def folder(place: Path) -> Iterator[str]:
    """The address of a server that lists and gives what lies in ``place``."""

    class Listing(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with _served(partial(Listing, directory=str(place))) as address:
        yield address


@contextmanager
def answers(pages: Mapping[str, bytes | str]) -> Iterator[tuple[str, list[str]]]:
    """A server's address, and the paths that it was asked for; a page of text is a redirect to that address."""
    asked: list[str] = []

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            page = pages.get(self.path)
            self.send_response(404 if page is None else 302 if isinstance(page, str) else 200)
            if isinstance(page, str):
                self.send_header("Location", page)
            content = page if isinstance(page, bytes) else b""
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Type", "image/jpeg")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with _served(Pages) as address:
        yield address, asked


@contextmanager
def _served(handler: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
