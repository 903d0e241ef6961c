"""How a connection comes by its time: by the bytes that it sends or takes; and what a request's head may hold.

Who sends or reads slowly keeps one of few connections and its open files, and heads are read in the one thread that all
connections share.
"""

from __future__ import annotations

import math
import re
import socket
import time
from contextlib import suppress
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.task import WSGITask
from waitress.utilities import Error, RequestEntityTooLarge

SECONDS = 60.0  # for a request, an answer's reader, or between two requests; longer than a proxy keeps a connection
SLOWEST = 8_000  # bytes a second: so many more buy one second more, which a photo over a slow line needs
HEAD_BYTES = 64 * 2**10  # of a request's first line and headers; Explore's address names up to 500 chosen images
FIRST_LINE = re.compile(rb"[^ ]+ [^ ]+(?: HTTP/[0-9]\.[0-9])?")
SPACES = re.compile(rb"[ \t]{64}|\r\n[ \t]")  # in a header no browser, proxy or client writes them


class Refusal(Error):
    """An answer before anything of ours has seen the request: a few plain words."""

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """The status, the headers and the body."""
        return f"{self.code} {self.reason}", [("Content-Type", "text/plain; charset=utf-8")], self.body.encode()


class TooSlow(Refusal):
    """The rest of the request did not come in its time."""

    code, reason = 408, "Request Timeout"


class TooLarge(Refusal):
    """The request says that it is larger than anything that is taken here."""

    code, reason = 413, "Request Entity Too Large"


class Parser(HTTPRequestParser):
    """waitress's, whose patterns take minutes for 60 KB of spaces, or for a long address that ends wrongly."""

    error: Error | None

    def received(self, data: bytes) -> int:
        """Take bytes in; the number of those that were taken.

        What comes with a whole request and is more than its own is dropped, and the connection closes after the
        answer, which says so. waitress would answer all of it in one go: one packet has room for 170 requests, and each
        answer that nobody reads holds a file open.
        """
        taken = int(super().received(data))
        if isinstance(self.error, RequestEntityTooLarge):
            self.error = TooLarge(
                f"The upload has {self.content_length:,} bytes. Attune takes at most {self.adj.max_request_body_size:,}"
                " in one request. Choose a smaller file."
            )
        if self.completed and not self.empty and data[taken:].strip():
            self.headers["CONNECTION"] = "close"
            return len(data)
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head. Raises ParsingError, which is answered 400, and TransferEncodingNotImplemented, 501."""
        if not FIRST_LINE.fullmatch(header_plus.partition(b"\r\n")[0].rstrip()):
            raise ParsingError("The first line is no method, address and version")
        if SPACES.search(header_plus):
            raise ParsingError("A header holds 64 spaces in a row, or goes on in a second line")
        super().parse_header(header_plus)
        if self.chunked:  # the line before each part has no limit there, and is read again with each byte that comes
            raise TransferEncodingNotImplemented("Send the request's Content-Length instead of Transfer-Encoding")


class Task(WSGITask):
    """waitress's, which closes after each answer without a Content-Length: also after a 304, which must have none.

    Such an answer ends with its head (RFC 9112, 6.3), so a pipeline that asks whether a probe moved stays connected.
    """

    def set_close_on_finish(self) -> None:
        """Close after this answer, and say so; not where there is no body to come and the client asked for no end."""
        asked = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or self.version != "1.1" or asked:
            super().set_close_on_finish()


class Channel(HTTPChannel):
    """waitress's, which waits for ever as long as a byte comes now and then, and for a reader as long as it likes."""

    parser_class = Parser
    task_class = Task
    request: Parser | None
    will_close: bool
    refused = False  # by us, while the rest of the request may be on its way
    draining = False  # all is said; what still comes is thrown away, as closing now would cost the sender our answer

    def __init__(self, *given: Any, **named: Any) -> None:
        self._begin()
        super().__init__(*given, **named)

    def _begin(self) -> None:
        """A request or an answer begins, with SECONDS of its own."""
        self.began = self.moved_at = time.monotonic()
        self.moved = 0

    def _move(self, size: int) -> None:
        self.moved += size
        self.moved_at = time.monotonic()

    def earned(self) -> float:
        """Until when (of ``time.monotonic``) this connection has earned its place, without the SECONDS that all have.

        Infinite while a request is at work here. Silence earns nothing, and a byte now and then next to nothing.
        """
        if self.requests and not self.total_outbufs_len:
            return math.inf
        return min(self.moved_at, self.began + self.moved / SLOWEST)

    def received(self, data: bytes) -> bool:
        """Take bytes in; the first of a request begin its time."""
        if self.draining:
            return False
        if self.request is None:
            self._begin()
        self._move(len(data))
        taken = bool(super().received(data))
        self.refused = self.refused or any(isinstance(request.error, Refusal) for request in self.requests)
        return taken

    def write_soon(self, data: Any) -> int:
        """Have ``data`` sent; the first of an answer begins its reader's time."""
        if not self.total_outbufs_len:
            self._begin()
        return int(super().write_soon(data))

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Hand ``data`` to the system; how much of it was taken."""
        sent = int(super().send(data, do_close))
        if sent:
            self._move(sent)
        return sent

    def end(self) -> None:
        """Time is up: say so to somebody whose upload is under way, and close at once on all others."""
        request = self.request
        if request is None or not request.headers_finished or self.requests or self.draining:
            self.handle_close()
            return
        request.error = TooSlow(
            f"The upload was too slow: {request.body_bytes_received:,} of {request.content_length:,} bytes arrived "
            f"before its time ended. Attune waits for uploads of at least {SLOWEST // 1000} KB a second. Choose a "
            "smaller file, or try again on a faster connection."
        )
        with self.requests_lock:
            self.request, self.refused = None, True
            self.requests.append(request)
        self._begin()
        self.server.add_task(self)

    def readable(self) -> bool:
        """Whether to wait for bytes; asked in every turn of the server."""
        return self.socket is not None and bool(super().readable())

    def writable(self) -> bool:
        """Whether to wait until bytes can be sent; likewise."""
        return self.socket is not None and bool(super().writable())

    def handle_close(self) -> None:
        """Close; after a refusal in two steps."""
        if self.refused and self.will_close and not self.draining and self.socket is not None:
            self.draining, self.will_close = True, False
            self._begin()
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_close()
