"""Who gives way where many connections are open: the one that has waited longest, so that newcomers always come in."""

from __future__ import annotations

import errno
import logging
import math
import resource
import socket
import time
from heapq import nsmallest

from waitress import server
from waitress.server import TcpWSGIServer

from attune.labeler.web.receiving import SECONDS, Channel

MOST = 500  # connections open at once
FILES = 8192  # of the whole process: three for each connection (itself, an upload, an answer), and many to spare
_EACH, _OURS = 2, 100  # files of a connection that others wait for, and of everything else, where the system gives few
_FULL = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
# The system takes so many bytes ahead of an answer's reader. With its usual megabytes, a slow one seems to stand still.
_AHEAD = 128 * 2**10
_PART = 20  # one in so many gives way
_YOUNG = 0.5  # seconds in which a newcomer, whose request may still be on its way, gives way to nobody
_REST = 1.0  # seconds without newcomers where the system has no more files
log = logging.getLogger("attune.web")


class Server(TcpWSGIServer):
    """waitress's, which takes nobody in while its connections are full, however little those do."""

    channel_class = Channel
    _resting_until = _told_at = -math.inf

    def readable(self) -> bool:
        """Whether to wait for newcomers; asked in every turn of the server."""
        if self.accepting and len(self._map) >= self.adj.connection_limit:
            self._make_room(f"{len(self._map)} connections are open")
        return bool(super().readable()) and time.monotonic() >= self._resting_until

    def _at_once(self) -> int:
        """How many give way at a time, and come in in one turn: a turn asks every connection that is open."""
        return max(1, int(self.adj.connection_limit) // _PART)

    def handle_accept(self) -> None:
        """Take newcomers in. waitress takes one in a turn: behind hundreds of others that is seconds."""
        for _ in range(self._at_once()):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before or len(self._map) >= self.adj.connection_limit:
                return

    def accept(self) -> tuple[socket.socket, object] | None:
        """A newcomer, if there is one.

        Where the system gives no file for it, it stays at the door and is reported in each turn: waitress would
        try again at once, and write it into the log each time.
        """
        try:
            newcomer: tuple[socket.socket, object] | None = super().accept()
        except OSError as error:
            if error.errno not in _FULL:
                raise
            self._resting_until = time.monotonic() + _REST
            self._make_room(f"the system gives no more files ({error.strerror})")
            return None
        return newcomer

    def set_socket_options(self, conn: socket.socket) -> None:
        """Prepare a newcomer's socket."""
        super().set_socket_options(conn)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _AHEAD)

    def _make_room(self, why: str) -> None:
        waiting = [(one.earned(), place, one) for place, one in enumerate(list(self.active_channels.values()))]
        for earned, _, one in nsmallest(self._at_once(), waiting):
            if earned <= time.monotonic() - _YOUNG:
                one.handle_close()
        if time.monotonic() - self._told_at > SECONDS:
            self._told_at = time.monotonic()
            log.warning("%s: who has waited longest without a whole request gives way", why)

    def maintenance(self, now: float) -> None:
        """End what is too slow. waitress marks it, and closes it when it can be written: never, if it reads nothing."""
        late = time.monotonic() - SECONDS
        for one in list(self.active_channels.values()):
            if one.earned() < late:
                one.end()


def limit() -> int:
    """Have each server that this process makes be one of these; how many connections it may hold open at once."""
    server.TcpWSGIServer = Server
    return max(_PART, min(MOST, (_files() - _OURS) // _EACH))


def _files() -> int:
    """How many files this process may open, raised as far as the system allows and we need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return FILES if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
