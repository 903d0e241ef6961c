"""How long a request may take to arrive at the console, and what its head may hold.

Who sends slowly keeps one of few connections, and heads are read in the one thread that all connections share.
"""

from __future__ import annotations

import re
import time

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.server import BaseWSGIServer

SECONDS = 120.0  # for a whole request: 8 MB over a slow line
CONNECTIONS = 500  # open at once; the system gives a process 1024 files, unless told
IDLE_SECONDS = 60  # without a byte, or between two requests; longer than a proxy keeps a connection
HEAD_BYTES = 64 * 2**10  # of a request's first line and headers; Explore's address names up to 500 chosen images
FIRST_LINE = re.compile(rb"[^ ]+ [^ ]+(?: HTTP/[0-9]\.[0-9])?")
SPACES = re.compile(rb"[ \t]{64}|\r\n[ \t]")  # in a header no browser, proxy or client writes them


class Parser(HTTPRequestParser):
    """waitress's, whose patterns take minutes for 60 KB of spaces, or for a long address that ends wrongly."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head. Raises ParsingError, which is answered 400, and TransferEncodingNotImplemented, 501."""
        if not FIRST_LINE.fullmatch(header_plus.partition(b"\r\n")[0].rstrip()):
            raise ParsingError("The first line is no method, address and version")
        if SPACES.search(header_plus):
            raise ParsingError("A header holds 64 spaces in a row, or goes on in a second line")
        super().parse_header(header_plus)
        if self.chunked:  # the line before each part has no limit there, and is read again with each byte that comes
            raise TransferEncodingNotImplemented("Send the request's Content-Length instead of Transfer-Encoding")


class Channel(HTTPChannel):
    """waitress's, which waits for the rest of a request as long as a byte comes now and then."""

    parser_class = Parser
    begun = 0.0

    def received(self, data: bytes) -> bool:
        """Take bytes in; the first of a request begin its time."""
        if self.request is None:
            self.begun = time.monotonic()
        return bool(super().received(data))

    def readable(self) -> bool:
        """Whether to wait for more; asked in every turn of the server."""
        if self.request is not None and not self.requests and time.monotonic() - self.begun > SECONDS:
            self.will_close = True
        return bool(super().readable())


def limit() -> None:
    """Have every server that this process makes use it."""
    BaseWSGIServer.channel_class = Channel
