"""How long a request may take to arrive at the console: who sends it slowly keeps one of few connections."""

from __future__ import annotations

import time

from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

SECONDS = 120.0  # for a whole request: 8 MB over a slow line
CONNECTIONS = 500  # open at once; the system gives a process 1024 files, unless told
IDLE_SECONDS = 60  # without a byte, or between two requests; longer than a proxy keeps a connection


class Channel(HTTPChannel):
    """waitress's, which waits for the rest of a request as long as a byte comes now and then."""

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
